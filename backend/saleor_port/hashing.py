"""How passwords are kept."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two rounds, one lane (OWASP's first recommendation).

    Django's own choice takes 100 MiB and eight lanes: twenty people who sign in at once would fill a small server.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
