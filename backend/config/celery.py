"""The Celery application: `celery -A backend.config.celery:app worker -Q default,feeds,apply`."""

from __future__ import annotations

import os

# Before saleor is imported: it would name its own settings module otherwise.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

from saleor.celeryconf import app

# Its signals: a task's lines in the log carry the id of the request that began it.
from backend.config import request_ids

__all__ = ["app", "request_ids"]

# One application for Saleor's tasks and ours: two would be two brokers' connections and two sets of rules.
# It reads CELERY_* of our settings and finds the tasks.py of every installed app by itself.
app.main = "xinyi_basket"
