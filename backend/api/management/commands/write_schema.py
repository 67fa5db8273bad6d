from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from graphql import print_schema

from backend.api.schema import schema

SDL = Path(__file__).resolve().parents[2] / "schema.graphql"


class Command(BaseCommand):
    help = "Write backend/api/schema.graphql, the contract that clients are written against."
    # The schema needs no database, and so no checks of one.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail when the file is not up to date"
        )

    def handle(self, *_args: Any, check: bool, **_options: Any) -> None:
        text = print_schema(schema)
        if not check:
            SDL.write_text(text, encoding="utf-8")
        elif not SDL.exists() or SDL.read_text(encoding="utf-8") != text:
            raise CommandError(
                "backend/api/schema.graphql is not the schema: run make schema and look at the change."
            )
