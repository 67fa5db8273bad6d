"""migrate, which says of changes without a migration what makemigrations says of them."""

from __future__ import annotations

from django.core.management.commands import migrate

from backend.config.management.commands.makemigrations import OwnRooms


class Command(migrate.Command):
    autodetector = OwnRooms
