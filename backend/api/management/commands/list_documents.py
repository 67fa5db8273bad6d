"""Lists the documents that clients may run without signing in, for those who write clients."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from backend.api.trusted_documents import trusted_documents


class Command(BaseCommand):
    help = "List the trusted documents: the SHA-256 of each, by which it is asked for, and its name."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help='{"SHA-256": "text"}, as persisted-query tools read it'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        documents = sorted(trusted_documents().values(), key=lambda each: each.name)
        if options["json"]:
            texts = {each.sha256: each.text for each in documents}
            self.stdout.write(json.dumps(texts, ensure_ascii=False, indent=2))
            return
        for each in documents:
            self.stdout.write(f"{each.sha256}  {each.name}")
