"""What Django 5.2 sees in Saleor's models that Saleor's migrations do not say, and what our own say."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest
import saleor
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

OURS = {"backend", "storefront_theme"}


def app_labels(*, ours: bool) -> set[str]:
    return {config.label for config in apps.get_app_configs() if (config.name.split(".")[0] in OURS) is ours}


def statements_that_would_change_the_database() -> list[str]:
    """The SQL of everything that makemigrations would write for apps that are not ours."""
    loader = MigrationLoader(connection)
    autodetector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = autodetector.changes(graph=loader.graph)
    statements = []
    state = loader.project_state()
    for label in sorted(set(changes) & app_labels(ours=False)):
        for migration in changes[label]:
            with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                state = migration.apply(state, editor, collect_sql=True)
                statements += [line for line in editor.collected_sql if line and not line.startswith("--")]
    return statements


@pytest.mark.django_db
def test_what_django_would_add_to_saleors_apps_changes_nothing_in_the_database() -> None:
    assert statements_that_would_change_the_database() == []


@pytest.mark.django_db
def test_our_own_migrations_say_all_that_our_models_say() -> None:
    call_command("makemigrations", *sorted(app_labels(ours=True)), check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_nothing_is_left_to_migrate() -> None:
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_nothing_was_written_into_saleors_migrations() -> None:
    package = Path(saleor.__file__).parent
    installed = {
        str(file.locate()) for file in distribution("saleor").files or [] if file.match("migrations/*.py")
    }
    there = {str(file) for file in package.glob("*/migrations/*.py")}

    assert len(installed) > 400
    assert there - {str(Path(file).resolve()) for file in installed} == set()


@pytest.mark.django_db
def test_a_change_that_is_more_than_state_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from saleor.warehouse.models import Stock

    monkeypatch.setattr(Stock._meta.get_field("quantity"), "null", True)

    [statement] = statements_that_would_change_the_database()
    assert 'ALTER TABLE "warehouse_stock" ALTER COLUMN "quantity" DROP NOT NULL' in statement
