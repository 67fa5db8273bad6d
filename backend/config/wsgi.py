"""The web process's entry: `gunicorn backend.config.wsgi:application`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

from django.core.wsgi import get_wsgi_application

from backend.config.statement_timeout import limit_statements

limit_statements()
application = get_wsgi_application()
