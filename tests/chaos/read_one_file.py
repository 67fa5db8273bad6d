"""A program: reads one file as the shop does, and says what it took. `test_strange_files` runs it, a process a file."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path


def most_megabytes() -> float:
    """The most that this process ever held. Not ru_maxrss: that begins with what the process that forked it had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM on this system")


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    # What a runaway reader is stopped by; what it may use is asserted by who started this.
    resource.setrlimit(resource.RLIMIT_AS, (1024 * 1024 * 1024, 1024 * 1024 * 1024))
    from django.conf import settings

    settings.configure(USE_I18N=False)
    from backend.stock.errors import FeedUnreadable
    from backend.stock.feeds import FILE, read_document
    from backend.stock.matching import Catalogue, Known, Matches

    raw = Path(sys.argv[1]).read_bytes()
    try:
        document = read_document(format=FILE, raw=raw, filename=sys.argv[2])
        catalogue = Catalogue([Known(1, "XY-0001", "莴笋"), Known(2, "XY-0002", "儿菜")])
        said = f"{len(Matches(rows=document.rows, catalogue=catalogue))} rows"
    except FeedUnreadable as error:
        said = f"refused: {error}"
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Of the processor: a machine with other work is no slow reader.
    seconds = sum(each.ru_utime + each.ru_stime for each in usage)
    print(json.dumps({"seconds": seconds, "megabytes": most_megabytes(), "said": said}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
