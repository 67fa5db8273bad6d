"""Advisories: every one has an answer, and an index that does not answer is no good news."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from backend.config import audit
from backend.config.audit import ADVISORIES, LOCK, Answered, read_answers, read_lock
from backend.config.environment import REPOSITORY

ROW = Answered(package="saleor", release="2.10.1", ids=frozenset({"CVE-2026-1"}), tests=())


def answers() -> list[Answered]:
    return read_answers(ADVISORIES.read_text(encoding="utf-8"))


def report(*vulns: dict[str, Any], release: str = "2.10.1") -> dict[str, Any]:
    return {
        "dependencies": [
            {"name": "saleor", "version": release, "vulns": list(vulns)},
            {"name": "django", "version": "5.2.19", "vulns": []},
        ]
    }


# ---- The list ----


def test_every_line_of_the_table_is_read() -> None:
    lines = [line for line in ADVISORIES.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(lines) == len(answers()) > 0
    assert all(row.ids and row.tests for row in answers())


def test_every_row_is_of_a_release_in_the_lock() -> None:
    assert audit.outdated(answers(), locked=read_lock(LOCK.read_text(encoding="utf-8"))) == []


def test_no_advisory_is_answered_twice() -> None:
    ids = [each for row in answers() for each in row.ids]
    assert len(ids) == len(set(ids))


def test_every_test_that_a_row_names_is_there() -> None:
    missing = {test for row in answers() for test in row.tests if not (REPOSITORY / test).is_file()}
    assert missing == set()


def test_the_lock_is_read() -> None:
    locked = read_lock(LOCK.read_text(encoding="utf-8"))
    assert ("saleor", "2.10.1") in locked
    assert len(locked) > 100


# ---- What the index says ----


def test_an_advisory_without_an_answer_fails(capsys: pytest.CaptureFixture[str]) -> None:
    found = report({"id": "PYSEC-2027-1", "aliases": ["CVE-2027-1"], "fix_versions": ["2.11.0"]})
    assert audit.audit(found, answers=[ROW]) == 1
    assert "saleor 2.10.1: CVE-2027-1, PYSEC-2027-1, mended in 2.11.0." in capsys.readouterr().out


def test_an_answered_one_passes_under_any_of_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    found = report({"id": "PYSEC-2026-9", "aliases": ["CVE-2026-1"], "fix_versions": []})
    assert audit.audit(found, answers=[ROW]) == 0
    assert capsys.readouterr().out == "2 packages audited, 1 advisories, all answered.\n"


def test_an_answer_is_for_one_release_of_one_package() -> None:
    found = report({"id": "CVE-2026-1", "aliases": [], "fix_versions": []}, release="2.10.2")
    assert audit.audit(found, answers=[ROW]) == 1
    found["dependencies"][0] |= {"name": "django", "version": "2.10.1"}
    assert audit.audit(found, answers=[ROW]) == 1


def test_a_row_for_a_release_that_left_the_lock_fails(capsys: pytest.CaptureFixture[str]) -> None:
    gone = Answered(package="saleor", release="2.9.0", ids=frozenset({"CVE-2026-1"}), tests=())
    assert audit.audit(report(), answers=[gone]) == 1
    assert "saleor 2.9.0 is not in requirements.lock any more." in capsys.readouterr().out


# ---- An index that says nothing ----


def test_an_index_that_is_away_fails_nothing_and_is_said_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit(None, answers=[ROW]) == 0
    assert capsys.readouterr().out.startswith("NOT AUDITED: the package index did not answer.")


def test_an_index_without_advisories_is_said_aloud_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """pip-audit ends with 0 and "no known vulnerabilities" then."""
    nothing = {"dependencies": [{"name": name, "skip_reason": "not found"} for name in ("django", "saleor")]}
    assert audit.audit(nothing, answers=[ROW]) == 0
    out = capsys.readouterr().out
    assert "NOT AUDITED: the package index knows no advisories of 2 of 2 packages." in out
    assert "all answered" not in out


def test_one_package_that_the_index_does_not_know_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = report()
    found["dependencies"].append({"name": "ours", "skip_reason": "not found"})
    assert audit.audit(found, answers=[ROW]) == 0
    assert "1 of 3 packages (ours)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-c", "raise SystemExit('no connection')"], id="fails"),
        pytest.param([sys.executable, "-c", "import time; time.sleep(60)"], id="hangs"),
        pytest.param(["/no/such/program"], id="is not there"),
    ],
)
def test_a_program_that_ends_without_a_report_gives_none(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PATIENCE_S", 2)
    assert audit.ask_index(command) is None


def test_a_report_is_read_although_findings_end_the_program_with_1() -> None:
    command = [sys.executable, "-c", "print('{\"dependencies\": []}'); raise SystemExit(1)"]
    assert audit.ask_index(command) == {"dependencies": []}


def test_pip_audit_knows_the_options_that_it_is_given() -> None:
    usage = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--help"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    for option in ("--requirement", "--disable-pip", "--require-hashes", "--progress-spinner", "--format"):
        assert option in usage
