"""Prints the part of requirements.lock that runs the shop: what the dev group brings alone is left out.

    python docker/runtime_requirements.py requirements.lock > runtime.lock

uv writes beside each distribution what asked for it; whatever the project itself asked for is kept, and what that
asked for, and so on. Releases and hashes stay as they are locked.
"""

import re
import sys
from pathlib import Path

PROJECT = "xinyi-basket (pyproject.toml)"


def blocks(lock: str) -> dict[str, str]:
    """The lock's text of each distribution, by name; a name with markers may have several."""
    found: dict[str, str] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        name = re.match(r"[A-Za-z0-9._-]+", block)
        if name:
            found[name[0]] = found.get(name[0], "") + block
    return found


def asked_for_by(block: str) -> set[str]:
    """Who asked for a distribution: the names in its `# via` comment."""
    return set(re.findall(r"^ +# (?:via )?(?: +)?(?!via$)(.+)$", block, flags=re.MULTILINE))


def runtime(lock: str) -> str:
    found = blocks(lock)
    kept: set[str] = set()
    while True:
        more = {
            name
            for name, block in found.items()
            if name not in kept and asked_for_by(block) & (kept | {PROJECT})
        }
        if not more:
            return "".join(found[name] for name in sorted(kept))
        kept |= more


if __name__ == "__main__":
    sys.stdout.write(runtime(Path(sys.argv[1]).read_text(encoding="utf-8")))
