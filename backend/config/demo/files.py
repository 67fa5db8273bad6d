"""Reads the files of fixtures/."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from functools import cache
from types import ModuleType
from typing import Any

from backend.config.environment import REPOSITORY

FIXTURES = REPOSITORY / "fixtures"


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of fixtures/<name>.csv, by column."""
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_json(name: str) -> Any:
    """What fixtures/<name>.json holds."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def feed_server() -> ModuleType:
    """The cooperatives' simulated systems: a program, not a package, so it is loaded from its file."""
    spec = importlib.util.spec_from_file_location("demo_feed_server", FIXTURES / "feed_server.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{FIXTURES / 'feed_server.py'} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up while the class is made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
