"""Known vulnerabilities of what requirements.lock names: `make audit`, and a part of `make check`.

pip-audit asks the package index. An advisory that stands in backend/saleor_port/ADVISORIES.md, with why it cannot be
reached here, passes; any other fails. An index that does not answer fails nothing, and is said aloud: what nobody
could ask about is not thereby sound. (pip-audit itself calls that "no known vulnerabilities".)
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.config.environment import REPOSITORY

LOCK = REPOSITORY / "requirements.lock"
ADVISORIES = REPOSITORY / "backend" / "saleor_port" / "ADVISORIES.md"
PATIENCE_S = 120


@dataclass(frozen=True)
class Answered:
    """One row of ADVISORIES.md. ids: the advisory's names in all databases."""

    package: str
    release: str
    ids: frozenset[str]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What the index says of one release."""

    package: str
    release: str
    ids: frozenset[str]
    fixed_in: tuple[str, ...]


def read_answers(text: str) -> list[Answered]:
    """The rows of ADVISORIES.md: | package release | ids | what it allows | why not here | tests |."""
    answers = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        named = re.fullmatch(r"`([a-z0-9-]+)==([^`]+)`", cells[0])
        if named:
            answers.append(
                Answered(
                    package=named[1],
                    release=named[2],
                    ids=frozenset(re.findall(r"(?:CVE|GHSA|PYSEC)-[\w-]+", cells[1])),
                    tests=tuple(re.findall(r"`(tests/[^`]+)`", cells[-1])),
                )
            )
    return answers


def read_lock(text: str) -> set[tuple[str, str]]:
    """(package, release) of every line of the lock."""
    return set(re.findall(r"^([a-z0-9._-]+)==([^ \\;\n]+)", text, re.MULTILINE))


def outdated(answers: Iterable[Answered], *, locked: Collection[tuple[str, str]]) -> list[Answered]:
    """Rows of releases that are not used any more."""
    return [each for each in answers if (each.package, each.release) not in locked]


def read_report(report: Mapping[str, Any]) -> tuple[list[Finding], list[str]]:
    """What pip-audit found, and the packages that it could not ask about."""
    findings, not_asked = [], []
    for each in report["dependencies"]:
        if "skip_reason" in each:
            not_asked.append(each["name"])
            continue
        findings += [
            Finding(
                package=each["name"].lower(),
                release=each["version"],
                ids=frozenset([found["id"], *found.get("aliases", ())]),
                fixed_in=tuple(found.get("fix_versions", ())),
            )
            for found in each["vulns"]
        ]
    return findings, not_asked


def unanswered(findings: Iterable[Finding], *, answers: Collection[Answered]) -> list[Finding]:
    """What the index says and no row answers for this very release."""
    return [
        found
        for found in findings
        if not any(
            (each.package, each.release) == (found.package, found.release) and each.ids & found.ids
            for each in answers
        )
    ]


def ask_index(command: Collection[str] = ()) -> Mapping[str, Any] | None:
    """pip-audit's report; None when there is none to be had. It ends with 1 both for findings and for failures."""
    pip_audit = [str(Path(sys.executable).with_name("pip-audit")), "--requirement", str(LOCK)]
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    try:
        asked = subprocess.run(
            [*(command or [*pip_audit, *options])],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        report: Mapping[str, Any] = json.loads(asked.stdout)
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return None
    return report


def audit(report: Mapping[str, Any] | None, *, answers: Collection[Answered]) -> int:
    """Say what the report means; 1 for an advisory that nobody has answered, or an answer to nothing."""
    code = 0
    for row in outdated(answers, locked=read_lock(LOCK.read_text(encoding="utf-8"))):
        print(f"{ADVISORIES.name}: {row.package} {row.release} is not in requirements.lock any more.")
        code = 1
    if report is None:
        print("NOT AUDITED: the package index did not answer. Run `make audit` where it can be reached.")
        return code
    findings, not_asked = read_report(report)
    asked = len(report["dependencies"]) - len(not_asked)
    if not_asked:
        names = "" if not asked else f" ({', '.join(sorted(not_asked))})"
        print(
            f"NOT AUDITED: the package index knows no advisories of {len(not_asked)} of "
            f"{len(report['dependencies'])} packages{names}. Run `make audit` where it can be asked."
        )
    for found in unanswered(findings, answers=answers):
        mended = f"mended in {', '.join(found.fixed_in)}" if found.fixed_in else "mended in no release yet"
        print(f"{found.package} {found.release}: {', '.join(sorted(found.ids))}, {mended}.")
        code = 1
    if code:
        print(f"Take a mended release, or answer the advisory in {ADVISORIES.relative_to(REPOSITORY)}.")
    elif asked:
        print(f"{asked} packages audited, {len(findings)} advisories, all answered.")
    return code


if __name__ == "__main__":
    sys.exit(audit(ask_index(), answers=read_answers(ADVISORIES.read_text(encoding="utf-8"))))
