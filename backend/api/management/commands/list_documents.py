"""Lists the documents that clients may run without signing in, for those who write clients."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from graphql import GraphQLError, Source, parse

from backend.api import limits
from backend.api.trusted_documents import TrustedDocument, trusted_documents


class Command(BaseCommand):
    help = "List the trusted documents: the SHA-256 of each, by which it is asked for, and its name."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help='{"SHA-256": "text"}, as persisted-query tools read it'
        )

        parser.add_argument(
            "--check", action="store_true", help="name those that the schema or the limits would refuse"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        documents = sorted(trusted_documents().values(), key=lambda each: each.name)
        if options["check"]:
            refused = [f"{each.name}: {said}" for each in documents for said in _refusals(each)]
            if refused:
                raise CommandError("\n".join(refused))
            self.stdout.write(f"{len(documents)} documents fit the schema and the limits.")
            return
        if options["json"]:
            texts = {each.sha256: each.text for each in documents}
            self.stdout.write(json.dumps(texts, ensure_ascii=False, indent=2))
            return
        for each in documents:
            self.stdout.write(f"{each.sha256}  {each.name}")


def _refusals(document: TrustedDocument) -> list[str]:
    """Why the API would not run it. Lists whose length is a variable count as pages of twenty-four."""
    from backend.api.schema import schema

    asked = limits.Asked()
    try:
        limits.check_tokens([document.text])
        parsed = parse(Source(document.text, document.name))
        mistakes = limits.validate(schema=schema, document=parsed)
        if mistakes:
            return [str(each) for each in mistakes]
        page = {"first": 24, "last": 24}
        limits.add_operation(asked, schema=schema, document=parsed, operation_name=None, variables=page)
        asked.check()
    except (GraphQLError, limits.RequestRefused) as error:
        return [str(error)]
    return []
