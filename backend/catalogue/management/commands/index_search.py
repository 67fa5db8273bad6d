"""Writes the search index anew."""

from typing import Any

from django.core.management.base import BaseCommand

from backend.catalogue.search.services import index_all


class Command(BaseCommand):
    # They build the whole API, which costs seconds and which nothing here asks.
    requires_system_checks: list[str] = []
    help = "Write the search index anew, from the goods, dishes, villages and cooperatives as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, changed in index_all().items():
            self.stdout.write(f"{kind}: {changed} changed")
