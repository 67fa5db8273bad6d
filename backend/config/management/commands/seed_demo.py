"""Loads the demo shop. See backend/config/demo."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from backend.config.demo.shop import load_demo_shop


class Command(BaseCommand):
    # They build the whole API, which costs seconds and which nothing here asks.
    requires_system_checks: list[str] = []
    help = "Load the demo shop from fixtures/: adds what is missing, changes nothing that is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        # The launcher puts the feed server ten ports above the web's unless it is told otherwise.
        port = int(os.environ.get("FEEDS_PORT") or int(os.environ.get("PORT") or 8000) + 10)
        parser.add_argument(
            "--feeds-url",
            default=f"http://127.0.0.1:{port}",
            help="where the cooperatives' simulated systems serve (default: %(default)s)",
        )
        parser.add_argument("--no-pictures", action="store_true", help="leave the pictures out")
        parser.add_argument("--no-orders", action="store_true", help="leave the sample orders out")

    def handle(self, *args: Any, **options: Any) -> None:
        load_demo_shop(
            feeds_url=options["feeds_url"],
            with_pictures=not options["no_pictures"],
            with_orders=not options["no_orders"],
            now=timezone.now(),
            say=self.stdout.write,
        )
