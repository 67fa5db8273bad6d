from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
import saleor
from django.core.management import call_command
from django.db.migrations.autodetector import MigrationAutodetector

from backend.config.management.commands import makemigrations

pytestmark = pytest.mark.django_db


def asked() -> str:
    said = StringIO()
    call_command("makemigrations", "--dry-run", stdout=said)
    return said.getvalue()


def test_nothing_is_to_be_written_for_saleors_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No changes detected" in asked()
    monkeypatch.setattr(makemigrations.Command, "autodetector", MigrationAutodetector)
    assert "Migrations for 'product'" in asked()


def test_the_installed_saleor_has_only_its_own_migrations() -> None:
    migrations = Path(saleor.__file__).parent.glob("*/migrations/*.py")
    newest = max(
        path.name for path in migrations if path.parent.parent.name == "product" and path.name[0] == "0"
    )
    assert newest == "0117_auto_20200423_0737.py"
