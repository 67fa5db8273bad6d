"""The web process's entry: `gunicorn backend.config.wsgi:application`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
