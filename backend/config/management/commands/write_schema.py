"""Writes the API's schema to backend/api/schema.graphql, or says that it has drifted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from graphql import print_schema

from backend.api.schema import schema
from backend.config.environment import REPOSITORY

COMMITTED = REPOSITORY / "backend" / "api" / "schema.graphql"


class Command(BaseCommand):
    help = "Write backend/api/schema.graphql; with --check, fail when it is not what the code says."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        printed = print_schema(schema)
        if not options["check"]:
            COMMITTED.write_text(printed, encoding="utf-8")
        elif COMMITTED.read_text(encoding="utf-8") != printed:
            raise CommandError(
                f"{COMMITTED.relative_to(REPOSITORY)} has drifted: run make schema and look at what changed."
            )
