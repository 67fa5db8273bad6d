"""`backend/manage.py audit_stock [--repair]`: is every stock figure what the ledger says?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend.stock.ageing import LATE, shrink_old_counts
from backend.stock.audit import find_drift, repair


class Command(BaseCommand):
    help = "Compares balances, promises and Stock rows with the ledger; exit status 1 when they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="bring them in line")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        findings = find_drift(ages_at=now - LATE)
        if options["repair"]:
            shrink_old_counts(now=now)
            repair(now=now)
        for finding in findings:
            self.stdout.write(str(finding))
        if not findings:
            self.stdout.write("Every stock figure is what the ledger says.")
            return
        if not options["repair"]:
            raise CommandError(f"{len(findings)} figures differ; --repair brings them in line.")
        left = find_drift(ages_at=now - LATE)
        if left:
            raise CommandError("Left for a person: " + "; ".join(str(finding) for finding in left))
        self.stdout.write(f"{len(findings)} figures brought in line.")
