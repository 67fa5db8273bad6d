"""The web process's entry: `gunicorn backend.config.wsgi:application`."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from backend.config.statement_timeout import limit_statements

limit_statements()
application = get_wsgi_application()

# All of it now, before gunicorn forks, and never looked at again by the collector: going through Saleor and its schema
# takes some 200 ms, in which a request would wait, and would copy the memory that the workers share.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
