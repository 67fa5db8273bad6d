"""makemigrations, for our own rooms only.

Django 5.2 would add a little to the recorded state of Saleor's apps (and nothing to the database, which a test shows).
Left alone, it writes that into the installed package, and makes our migrations depend on it.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.commands import makemigrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ProjectState


class OwnRooms(MigrationAutodetector):
    """Takes the models of apps that are not ours to be as their migrations left them."""

    def __init__(self, from_state: ProjectState, to_state: ProjectState, questioner: Any = None) -> None:
        rooms = {config.label for config in apps.get_app_configs() if config.name.startswith("backend.")}
        for (label, name), model in from_state.models.items():
            if label not in rooms:
                to_state.models[label, name] = model.clone()
        super().__init__(from_state, to_state, questioner)


class Command(makemigrations.Command):
    autodetector = OwnRooms
