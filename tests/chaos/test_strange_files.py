"""Whatever file arrives, the readers answer: rows, or a sentence that says why not; and within a bounded time and space.

A hundred and fifty files in `make test`, five thousand and more in `make soak`. A failure names the seed.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.cooperatives.models import Cooperative
from backend.stock.decide import Books, decide
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import FILE, Document, read_document
from backend.stock.matching import Catalogue, Matches
from backend.stock.models import Movement, Supply
from backend.stock.services import confirm_report, keep_upload, preview
from backend.stock.words import Basis, Outcome
from tests.backend.stock.feeds.reading import COUNT, COUNTINGS, GOODS, TODAY
from tests.backend.stock.shed import an_uncounted_supply
from tests.chaos.strange_files import HEAVY, KINDS, strange_file
from tests.produce import a_cooperative

FILES, FILES_OF_A_SOAK = 150, 5_000
APPLIED, APPLIED_OF_A_SOAK = 12, 250
HEAVY_OF_EVERY_RUN = ("a zip bomb", "brackets")
SEED = 20261123
MOST_MEGABYTES, MOST_SECONDS = 256, 20
READ_ONE_FILE = Path(__file__).with_name("read_one_file.py")


def read(raw: bytes, *, filename: str = "") -> Document | None:
    """The document, or None when it was refused with a sentence. Anything else that is raised is a failure."""
    try:
        return read_document(format=FILE, raw=raw, filename=filename, today=TODAY)
    except FeedUnreadable as error:
        if not str(error).strip():
            raise
        return None


def check(document: Document) -> Counter[str]:
    """What holds for every document, however strange its file; answers what became of its rows."""
    counted = (COUNT.key[0] - timedelta(days=1), 1, "a")
    books = {
        pk: Books(pk, counting, 50_000, 7000, counted, 50_000, "斤") for pk, counting in COUNTINGS.items()
    }
    verdicts = decide(
        matches=Matches(rows=document.rows, catalogue=Catalogue(GOODS)), books=books, count=COUNT
    )
    assert [verdict.row for verdict in verdicts] == list(document.rows)
    accepted = [verdict for verdict in verdicts if verdict.outcome is Outcome.ACCEPTED]
    assert len({verdict.supply_id for verdict in accepted}) == len(accepted)
    for verdict in verdicts:
        assert (verdict.on_hand is not None) == (verdict.outcome is Outcome.ACCEPTED)
        if verdict.outcome is Outcome.ACCEPTED:
            assert verdict.supply_id in books
            assert verdict.base_units is not None and 0 <= verdict.base_units <= 1_000_000_000
            assert verdict.row.written
        elif verdict.outcome in (Outcome.REFUSED, Outcome.WAITING):
            assert str(verdict.told)
        for text in (
            str(verdict.told),
            verdict.row.written,
            verdict.row.code,
            verdict.row.name,
            verdict.row.lot,
        ):
            assert "\x00" not in text
            text.encode()
    numbers = [row.number for row in document.rows]
    assert len(set(numbers)) == len(numbers)
    for remark in document.remarks:
        str(remark).encode()
    return Counter(verdict.outcome.value for verdict in verdicts)


def test_strange_files_are_read_or_refused_and_nothing_else(soak_minutes: float) -> None:
    read_files: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for number in range(FILES_OF_A_SOAK if soak_minutes else FILES):
        name, raw = strange_file(random.Random(SEED + number))
        try:
            document = read(raw, filename=name)
            read_files["refused" if document is None else "read"] += 1
            if document is not None:
                rows += check(document)
        except Exception as error:
            raise AssertionError(f"file {SEED + number} ({name}, {len(raw)} bytes): {error!r}") from error
    # A fuzzer whose files are all refused, or all harmless, has tried nothing.
    print(f"{sum(read_files.values())} files: {dict(read_files)}; their rows: {dict(rows)}")
    assert min(read_files["read"], read_files["refused"]) > sum(read_files.values()) / 10
    assert all(rows[outcome.value] for outcome in Outcome)


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=600), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_any_bytes_at_all_are_read_or_refused(raw: bytes) -> None:
    for prefix in (
        b"",
        "编码,库存\n".encode(),
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b'{"items":',
    ):
        document = read(prefix + raw)
        if document is not None:
            check(document)


@pytest.mark.django_db
def test_no_figure_changes_without_an_accepted_line(soak_minutes: float) -> None:
    cooperative: Cooperative = a_cooperative()
    for known in GOODS:
        an_uncounted_supply(cooperative=cooperative, code=known.code, name=known.name)
    changed = Counter[str]()
    for number in range(APPLIED_OF_A_SOAK if soak_minutes else APPLIED):
        dice = random.Random(SEED + number)
        kind = dice.choice([name for name in KINDS if name != "库存.xls"])
        raw = KINDS[kind](dice)
        now = timezone.now() + timedelta(minutes=number)
        before = dict(Supply.objects.values_list("pk", "on_hand"))
        movements = Movement.objects.count()
        report = keep_upload(
            cooperative=cooperative,
            filename=kind,
            raw=raw,
            basis=Basis.SHELF,
            is_complete=dice.random() < 0.3,
            submitted_by=None,
            now=now,
        )
        preview(report=report)
        assert dict(Supply.objects.values_list("pk", "on_hand")) == before
        report = confirm_report(report_id=report.pk, accepted_waiting=(), submitted_by=None, now=now)
        after = dict(Supply.objects.values_list("pk", "on_hand"))
        accepted = set(report.lines.filter(outcome=Outcome.ACCEPTED).values_list("supply", flat=True))
        differ = {pk for pk in after if after[pk] != before[pk]}
        assert differ <= accepted, f"file {SEED + number}"
        assert Movement.objects.count() - movements <= len(accepted)
        changed[report.status] += 1
        changed["figures"] += len(differ)
    assert changed["figures"]
    print(dict(changed))


def test_a_file_that_is_made_to_hurt_takes_little_time_and_space(tmp_path: Path, soak_minutes: float) -> None:
    too_much = {}
    for name in HEAVY if soak_minutes else HEAVY_OF_EVERY_RUN:
        path = tmp_path / "file"
        path.write_bytes(HEAVY[name]())
        assert path.stat().st_size <= 10 * 1024 * 1024
        done = subprocess.run(
            [sys.executable, str(READ_ONE_FILE), str(path), "file"],
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        took = json.loads(done.stdout)
        print(
            f"{name}: {path.stat().st_size / 1e6:.1f} MB, {took['seconds']:.1f} s, {took['megabytes']:.0f} MB: {took['said']}"
        )
        if took["megabytes"] > MOST_MEGABYTES or took["seconds"] > MOST_SECONDS:
            too_much[name] = took
    assert too_much == {}
