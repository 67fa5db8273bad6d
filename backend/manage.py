#!/usr/bin/env python
"""Django's commands for this shop: `backend/manage.py <command>`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    # The import root is the repository, not backend/.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    # Set at once: importing saleor would otherwise name its own settings module.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
