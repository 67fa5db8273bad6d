"""Seal the passwords of all feeds under the newest of FEED_CREDENTIALS_KEY, so that the older ones may go."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backend.stock.errors import FeedForbidden
from backend.stock.models import Feed
from backend.stock.ways_in.credentials import seal_anew


class Command(BaseCommand):
    help = "Seals the passwords of all feeds under the newest key; the older keys may be taken away then."

    def handle(self, *args: object, **options: object) -> None:
        with transaction.atomic():
            feeds = list(
                Feed.objects.select_for_update(of=("self",)).exclude(sealed_secret="").order_by("pk")
            )
            for feed in feeds:
                try:
                    feed.sealed_secret = seal_anew(feed.sealed_secret)
                except FeedForbidden as error:
                    raise CommandError(f"{feed}: {error}") from error
                feed.save(update_fields=["sealed_secret"])
        self.stdout.write(f"{len(feeds)} sealed anew")
