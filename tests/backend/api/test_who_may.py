"""Who may ask for what: every field that a client who is not staff can reach has an entry in who_may.toml.

Levels of Query and Mutation: `anybody`; `signed-in`, about one's own affairs; `member`, of the cooperative that is
asked about; `staff`, with a permission. Levels of other types, whose objects one has to reach first: `anybody` who
holds the object; `owner`, the account that it belongs to, or staff; `staff`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import graphene
import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    ResolveInfo,
)
from graphql.type.definition import get_named_type
from graphql_jwt.exceptions import PermissionDenied
from saleor.account.models import User

from backend.api.executor import middleware
from backend.api.permissions import PROGRAMS_MAY
from backend.api.schema import schema
from backend.cooperatives.models import Cooperative, ProgramToken
from backend.cooperatives.services import issue_token
from tests import produce

TABLE = Path(__file__).with_name("who_may.toml")
ROOTS = ("Query", "Mutation")
LEVELS = {
    "Query": {"anybody", "signed-in", "member", "staff"},
    "Mutation": {"anybody", "signed-in", "member", "staff"},
}
TYPE_LEVELS = {"anybody", "owner", "staff"}

Table = dict[str, dict[str, list[str]]]


def read_table() -> Table:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def levels_of(table: Table, type_name: str) -> dict[str, str]:
    return {name: level for level, names in table.get(type_name, {}).items() for name in names}


def reachable(table: Table) -> dict[str, GraphQLObjectType]:
    """Every object type that a client who is not staff can come to, by fields that are not staff's."""
    types = schema.get_type_map()
    possible: Callable[[Any], list[Any]] = schema.get_possible_types
    found: dict[str, GraphQLObjectType] = {}
    waiting = [types[root] for root in ROOTS]
    while waiting:
        each = waiting.pop()
        if isinstance(each, (GraphQLInterfaceType, GraphQLUnionType)):
            # Node and ObjectWithMetadata stand for nothing that is not reached by its own type as well.
            if isinstance(each, GraphQLUnionType):
                waiting.extend(possible(each))
            continue
        if not isinstance(each, GraphQLObjectType) or each.name in found:
            continue
        found[each.name] = each
        levels = levels_of(table, each.name)
        waiting.extend(
            get_named_type(field.type) for name, field in each.fields.items() if levels.get(name) != "staff"
        )
    return found


def test_every_field_that_can_be_reached_has_exactly_one_entry_and_no_entry_is_stale() -> None:
    table = read_table()
    found = reachable(table)
    listed = {
        (type_name, name)
        for type_name, levels in table.items()
        for names in levels.values()
        for name in names
    }
    there = {(type_name, name) for type_name, each in found.items() for name in each.fields}
    assert sorted(there - listed) == [], "say in who_may.toml who may ask for them"
    assert sorted(listed - there) == [], "they are gone, or nobody but staff reaches them"
    twice = [
        (type_name, name)
        for type_name, levels in table.items()
        for name in {name for names in levels.values() for name in names}
        if sum(name in names for names in levels.values()) > 1
    ]
    assert twice == []


def test_every_level_is_known() -> None:
    unknown = {
        (type_name, level)
        for type_name, levels in read_table().items()
        for level in levels
        if level not in LEVELS.get(type_name, TYPE_LEVELS)
    }
    assert unknown == set()


# ---- Query and Mutation, asked as three people ----------------------------------------------------------------------


def value_for(argument_type: Any, name: str = "") -> str:
    """A literal that the type reads, and that names nothing."""
    if isinstance(argument_type, GraphQLNonNull):
        return value_for(argument_type.of_type, name)
    if isinstance(argument_type, GraphQLList):
        return f"[{value_for(argument_type.of_type, name)}]"
    if isinstance(argument_type, GraphQLEnumType):
        return str(argument_type.values[0].name)
    if isinstance(argument_type, GraphQLInputObjectType):
        inside = ", ".join(
            f"{key}: {value_for(field.type, key)}"
            for key, field in argument_type.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        )
        return f"{{{inside}}}"
    if name == "cooperative":
        return '"baima"'
    return {
        "Int": "1",
        "Float": "1",
        "Decimal": "1",
        "PositiveDecimal": "1",
        "Quantity": "1",
        "Boolean": "true",
        "ID": f'"{graphene.Node.to_global_id("Order", 1)}"',
        "UUID": '"8c3b6f4e-0000-4000-8000-000000000000"',
        "DateTime": '"2026-11-23T06:10:00+08:00"',
        "Date": '"2026-11-23"',
        "JSONString": '"{}"',
        "WeightScalar": "1",
    }.get(str(argument_type), '"nothing"')


def operation(root: str, name: str, field: GraphQLField) -> str:
    # A list that is not told how many is refused before anybody asks who wants it.
    arguments = ", ".join(
        f"{key}: {value_for(argument.type, key)}"
        for key, argument in field.args.items()
        if isinstance(argument.type, GraphQLNonNull) or key == "first"
    )
    called = f"{name}({arguments})" if arguments else name
    is_composite = isinstance(
        get_named_type(field.type), (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
    )
    return f"{'query' if root == 'Query' else 'mutation'} {{ {called}{' { __typename }' if is_composite else ''} }}"


def is_refused(answer: Any, name: str) -> bool:
    """Whether the client was told that it may not; a cooperative of others is answered as if it were not there."""
    said = {type(getattr(error, "original_error", error)).__name__ for error in answer.errors or ()}
    if said & {"PermissionDenied", "UnknownCooperative"}:
        return True
    return isinstance((answer.data or {}).get(name), Exception)


@pytest.fixture
def people(db: None) -> dict[str, Any]:
    """Nobody; 李婶, who buys; 陈会计, who keeps the books of another cooperative than the one asked about."""
    produce.a_cooperative(slug="baima")
    other = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    return {
        "nobody": AnonymousUser(),
        "buyer": produce.a_person(email="li@buyer.example"),
        "bookkeeper of another cooperative": produce.a_member(cooperative=other, email="chen@fuxing.example"),
    }


MAY = {
    "anybody": {"nobody", "buyer", "bookkeeper of another cooperative"},
    "signed-in": {"buyer", "bookkeeper of another cooperative"},
    "member": set[str](),
    "staff": set[str](),
}


def answer_to(document: str, user: Any, *, program: ProgramToken | None = None) -> Any:
    from django.contrib.sites.models import Site
    from django.test import RequestFactory
    from saleor.plugins.manager import get_plugins_manager

    request: Any = RequestFactory().post("/graphql/")
    request.user, request.app = user, None
    if program is not None:
        request.program = program
    request.discounts, request.currency = [], "CNY"
    request.country = SimpleNamespace(code="CN")
    request.plugins = get_plugins_manager()
    request.site = Site.objects.get_current()
    return schema.execute(
        document, context=request, middleware=middleware(is_program=True) if program is not None else None
    )


def root_fields() -> Iterator[tuple[str, str]]:
    for root in ROOTS:
        for name in schema.get_type_map()[root].fields:
            yield root, name


@pytest.mark.django_db
def test_every_operation_refuses_whom_the_table_refuses_and_nobody_else(people: dict[str, Any]) -> None:
    from django.db import transaction

    table = read_table()
    wrong = []
    for root, name in root_fields():
        document = operation(root, name, schema.get_type_map()[root].fields[name])
        level = levels_of(table, root)[name]
        for who, user in people.items():
            with transaction.atomic():
                answer = answer_to(document, user)
                transaction.set_rollback(True)
            may = who in MAY[level]
            # What is one's own is answered to nobody with null as well as with a refusal.
            is_null = (answer.data or {}).get(name) is None and level == "signed-in"
            if may == (is_refused(answer, name) or (not may and is_null)):
                wrong.append((root, name, level, who, str(answer.errors)[:120]))
    assert wrong == []


@pytest.mark.django_db
def test_a_cooperatives_program_may_report_and_nothing_else(people: dict[str, Any]) -> None:
    """Of its own cooperative: for the one that is asked about here it is a stranger's program, and let in nowhere."""
    from django.db import transaction

    program = {
        slug: issue_token(
            cooperative=Cooperative.objects.get(slug=slug), name="进销存", issued_by=None, now=timezone.now()
        )[0]
        for slug in ("baima", "fuxing")
    }
    let_in: dict[str, set[str]] = {"Query": set(), "Mutation": set()}
    for root, name in root_fields():
        document = operation(root, name, schema.get_type_map()[root].fields[name])
        for slug in program:
            with transaction.atomic():
                answer = answer_to(document, AnonymousUser(), program=program[slug])
                transaction.set_rollback(True)
            if is_refused(answer, name):
                continue
            # What it may not report, a mutation says in its errors: test_stock_tokens.py.
            assert slug == "baima" or root == "Mutation" or "cooperative" not in document, name
            let_in[root].add(name)
    assert let_in == {root: set(PROGRAMS_MAY[root]) for root in ROOTS}


# ---- Fields of what one has reached ---------------------------------------------------------------------------------


def resolver_of(graphene_type: Any, name: str) -> Any:
    """What Saleor or we wrote for the field, without the paging around it; None where it is a plain attribute."""
    for python_name, field in graphene_type._meta.fields.items():
        mounted = field.get_type(None) if isinstance(field, graphene.Dynamic) else field
        if mounted is not None and (mounted.name or _camel(python_name)) == name:
            written_at = (graphene_type, *graphene_type._meta.interfaces)
            written = (getattr(each, f"resolve_{python_name}", None) for each in written_at)
            return mounted.resolver or next((each for each in written if each is not None), None)
    return None


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() if part else "_" for part in tail)


def refuses(graphene_type: Any, name: str, user: Any) -> bool:
    """Whether the field's resolver denies user an object of somebody else."""
    resolver = resolver_of(graphene_type, name)
    if resolver is None:
        return False
    info = mock.MagicMock(spec=ResolveInfo)
    info.context = SimpleNamespace(user=user, app=None)
    model = getattr(graphene_type._meta, "model", None)
    return any(_is_denied(resolver, root, info) for root in (mock.MagicMock(), model and model()))


def _is_denied(resolver: Callable[..., Any], root: Any, info: Any) -> bool:
    try:
        resolver(root, info)
    except PermissionDenied:
        return True
    except Exception:  # the probe is let in, and then finds no shop behind it
        return False
    return False


@pytest.mark.django_db
def test_every_guarded_field_denies_a_stranger_and_no_other_field_does() -> None:
    table = read_table()
    stranger = User.objects.create_user("li@buyer.example", "password")
    wrong: list[tuple[str, ...]] = []
    for type_name, each in reachable(table).items():
        if type_name in ROOTS or not hasattr(each, "graphene_type"):
            continue
        for name, level in levels_of(table, type_name).items():
            wrong.extend(
                (type_name, name, level, str(user))
                for user in (AnonymousUser(), stranger)
                if refuses(each.graphene_type, name, user) != (level != "anybody")
            )
    assert wrong == []
