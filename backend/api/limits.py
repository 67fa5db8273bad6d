"""How much one request may ask, found out before anything of it runs.

The order is from cheap to dear, so that a refusal costs little: the size of the body, the length of the batch, the
tokens of each document and how deep its brackets go, and only then its tree: depth, aliases, list arguments, cost
(backend/api/costs.py). A batch is held to the limits as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from graphql import GraphQLError
from graphql.language import ast
from graphql.language.visitor import ParallelVisitor, TypeInfoVisitor, visit
from graphql.type.definition import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type
from graphql.type.introspection import SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef
from graphql.type.schema import GraphQLSchema
from graphql.utils.type_info import TypeInfo
from graphql.validation.rules import KnownTypeNames, NoFragmentCycles, specified_rules
from graphql.validation.validation import ValidationContext

from backend.api import costs
from backend.common.errors import ShopError


@dataclass(frozen=True)
class Limits:
    """The most that one request may have. A batch has as much together, and `batch_tokens` in place of `tokens`."""

    body_bytes: int = 256 * 1024
    # Of a cooperative's member or program, and of staff: a report has up to 5,000 lines.
    report_bytes: int = 1024 * 1024
    # With files: a stock file has up to 10 MB.
    upload_bytes: int = 11 * 1024 * 1024
    batch: int = 10
    # A standard introspection has 150, the largest document of Saleor's dashboard some 900.
    tokens: int = 2_000
    batch_tokens: int = 4_000
    # Brackets of any kind inside each other; each costs the parser some frames of Python's stack.
    nesting: int = 40
    name_characters: int = 64
    definitions: int = 60
    # Selections once all fragments are written out.
    selections: int = 2_000
    depth: int = 12
    # type { ofType { … } } to the seventh level, as the standard introspection has it.
    introspection_depth: int = 16
    aliases: int = 50
    aliases_of_a_field: int = 15
    # Comparing those that may be merged is what makes validation slow.
    repetitions: int = 15
    mutations: int = 5
    list_items: int = 100
    cost: int = 30_000


LIMITS = Limits()

# A client that makes more mistakes than this hears of the first ones; to look for similar names is slow.
MOST_MISTAKES = 2


class RequestRefused(ShopError):
    """More than a request may ask. extensions: which limit, and the cost as far as it was computed."""

    def __init__(
        self,
        message: str | Promise,
        *,
        code: str,
        status: int = 400,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.extensions = dict(extensions or {})

    @property
    def retry_after_s(self) -> int:
        """After how many seconds the same may be asked again; 0 where waiting does not help."""
        return int(self.extensions.get("retryAfter", 0))


class DocumentInvalid(RequestRefused):
    """A value in the document, or in its variables, that its type cannot read."""

    def __init__(self) -> None:
        super().__init__(_("A value of the request could not be read."), code="unreadable_value")


def _refuse(
    what: str, *, found: int, most: int, status: int = 400, cost: Mapping[str, Any] | None = None
) -> Any:
    extensions: dict[str, Any] = {"limit": {"of": what, "found": found, "most": most}}
    if cost is not None:
        extensions["cost"] = dict(cost)
    raise RequestRefused(
        _message(what, found=found, most=most), code=f"too_much_{what}", status=status, extensions=extensions
    )


def _message(what: str, *, found: int, most: int) -> str:
    texts = {
        "body": _("The request is too large: %(found)s bytes, where %(most)s are allowed."),
        "batch": _("The batch is too long: %(found)s operations, where %(most)s are allowed."),
        "tokens": _("The document is too long: more than %(most)s tokens."),
        "nesting": _("The document is nested too deeply: more than %(most)s brackets inside each other."),
        "name_characters": _(
            "A name in the document is too long: %(found)s characters, where %(most)s are allowed."
        ),
        "definitions": _("Too many operations and fragments: %(found)s, where %(most)s are allowed."),
        "selections": _("Too many fields: more than %(most)s, fragments written out."),
        "depth": _("The query is too deep: more than %(most)s levels."),
        "introspection_depth": _("The query is too deep: more than %(most)s levels."),
        "introspection": _("The schema may be asked for its lists once, not inside themselves."),
        "aliases": _("Too many aliases: %(found)s, where %(most)s are allowed."),
        "aliases_of_a_field": _("One field is asked for %(found)s times, where %(most)s are allowed."),
        "repetitions": _("One field is repeated %(found)s times, where %(most)s are allowed."),
        "mutations": _("Too many mutations at once: %(found)s, where %(most)s are allowed."),
        "list_items": _("A list has %(found)s items, where %(most)s are allowed."),
        "cost": _("The query asks for too much: it costs %(found)s, where %(most)s are allowed."),
    }
    return str(texts[what]) % {"found": found, "most": most}


# ---- Before parsing ----------------------------------------------------------------------------------------


def check_body(*, length: int, most: int) -> None:
    """length: bytes, as the client announced it or as they came."""
    if length > most:
        _refuse("body", found=length, most=most, status=413)


def check_batch(*, length: int, limits: Limits = LIMITS) -> None:
    if length > limits.batch:
        _refuse("batch", found=length, most=limits.batch)


# Whatever GraphQL's lexer reads as one token, and comments, which are none. An unclosed string ends at its line.
_TOKEN = re.compile(
    r'#[^\r\n]*|"(?:[^"\\\r\n]|\\[^\r\n])*"?|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*|\.{3}|[!$():=@\[\]{}|]'
)


def check_tokens(texts: Sequence[str], *, limits: Limits = LIMITS) -> None:
    """Raise RequestRefused when the documents of a batch are too long, one of them or all together."""
    tokens = 0
    for text in texts:
        tokens += count_tokens(text, limits=limits)
        if tokens > limits.batch_tokens:
            _refuse("tokens", found=tokens, most=limits.batch_tokens)


def count_tokens(text: str, *, limits: Limits = LIMITS) -> int:
    """How many tokens the text has; stops at the first limit that it exceeds, and raises RequestRefused."""
    tokens = nesting = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        first = token[0]
        if first == "#":
            continue
        tokens += 1
        if tokens > limits.tokens:
            _refuse("tokens", found=tokens, most=limits.tokens)
        if first in "([{":
            nesting += 1
            if nesting > limits.nesting:
                _refuse("nesting", found=nesting, most=limits.nesting)
        elif first in ")]}":
            nesting -= 1
        elif len(token) > limits.name_characters and first != '"':
            _refuse("name_characters", found=len(token), most=limits.name_characters)
    return tokens


# ---- After parsing, before running -------------------------------------------------------------------------


@dataclass
class Asked:
    """What a request asks so far: one, or the operations of a batch added up."""

    cost: int = 0
    mutations: int = 0
    aliases: int = 0
    # The first limit that was exceeded on the way, other than those that are only known at the end.
    exceeded: tuple[str, int, int] | None = field(default=None)

    def check(self, *, limits: Limits = LIMITS) -> None:
        """Raise RequestRefused for the first limit that it exceeds."""
        cost = {"requested": self.cost, "most": limits.cost}
        if self.exceeded:
            what, found, most = self.exceeded
            _refuse(what, found=found, most=most, cost=cost)
        for what, found, most in (
            ("mutations", self.mutations, limits.mutations),
            ("aliases", self.aliases, limits.aliases),
            ("cost", self.cost, limits.cost),
        ):
            if found > most:
                _refuse(what, found=found, most=most, cost=cost)


def add_operation(
    asked: Asked,
    *,
    schema: GraphQLSchema,
    document: ast.Document,
    operation_name: str | None,
    variables: Mapping[str, Any],
    limits: Limits = LIMITS,
) -> None:
    """Add what one operation asks. The document need not be valid: what the schema does not know costs little."""
    walk = _Walk(schema=schema, document=document, variables=variables, limits=limits, asked=asked)
    with suppress(_Enough):
        walk.operations(operation_name)
    asked.cost += walk.introspected // costs.INTROSPECTION_FIELDS_PER_UNIT


class _Enough(Exception):
    """Too deep or too large to go on; it is in Asked.exceeded."""


Selected = Sequence[tuple[ast.SelectionSet, Any]]


@dataclass(frozen=True)
class _Place:
    """Where in the answer: how deep, how many times it is answered, on which page of which connection."""

    depth: int = 0
    times: int = 1
    page: int = 1
    # The lists of the schema's own types on the way here; None outside introspection.
    introspection: frozenset[str] | None = None


class _Walk:
    """Goes through an operation as the executor would: fragments written out, the same answers merged."""

    def __init__(
        self,
        *,
        schema: GraphQLSchema,
        document: ast.Document,
        variables: Mapping[str, Any],
        limits: Limits,
        asked: Asked,
    ) -> None:
        self.schema, self.variables, self.limits, self.asked = schema, variables, limits, asked
        self.document = document
        self.fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, ast.FragmentDefinition)
        }
        self.selections = 0
        self.introspected = 0
        self.defaults: dict[str, Any] = {}
        self.longest_of_variable: dict[str, int] = {}

    def exceed(self, what: str, *, found: int, most: int) -> None:
        if found > most and self.asked.exceeded is None:
            self.asked.exceeded = (what, found, most)

    def operations(self, operation_name: str | None) -> None:
        definitions = self.document.definitions
        if len(definitions) > self.limits.definitions:
            self.exceed("definitions", found=len(definitions), most=self.limits.definitions)
            raise _Enough
        operations = [each for each in definitions if isinstance(each, ast.OperationDefinition)]
        named = [each for each in operations if each.name and each.name.value == operation_name]
        for operation in named or operations:
            self.defaults = {
                each.variable.name.value: each.default_value
                for each in operation.variable_definitions or ()
                if each.default_value is not None
            }
            root = (
                self.schema.get_mutation_type()
                if operation.operation == "mutation"
                else self.schema.get_query_type()
            )
            fields = self.collect([(operation.selection_set, root)])
            if operation.operation == "mutation":
                self.asked.mutations += len(fields)
            self.fields(fields, _Place())

    def collect(self, selected: Selected) -> dict[str, list[tuple[ast.Field, Any]]]:
        """{key in the answer: the fields that are merged under it, each with the type that it is asked of}."""
        found: dict[str, list[tuple[ast.Field, Any]]] = {}
        seen: set[str] = set()
        for selection_set, kind in selected:
            self._collect(selection_set, kind, found, seen)
        return found

    def _collect(
        self,
        selection_set: ast.SelectionSet,
        kind: Any,
        found: dict[str, list[tuple[ast.Field, Any]]],
        seen: set[str],
    ) -> None:
        for selection in selection_set.selections:
            self.selections += 1
            if self.selections > self.limits.selections:
                self.exceed("selections", found=self.selections, most=self.limits.selections)
                raise _Enough
            if isinstance(selection, ast.Field):
                key = (selection.alias or selection.name).value
                found.setdefault(key, []).append((selection, kind))
            elif isinstance(selection, ast.InlineFragment):
                self._collect(selection.selection_set, self._narrowed(selection, kind), found, seen)
            else:
                name = selection.name.value
                fragment = self.fragments.get(name)
                if fragment and name not in seen:
                    seen.add(name)
                    self._collect(fragment.selection_set, self._narrowed(fragment, kind), found, seen)

    def _narrowed(self, fragment: ast.InlineFragment | ast.FragmentDefinition, kind: Any) -> Any:
        condition = fragment.type_condition
        return self.schema.get_type_map().get(condition.name.value) if condition else kind

    def fields(self, fields: Mapping[str, list[tuple[ast.Field, Any]]], place: _Place) -> None:
        if not fields:
            return
        depth = place.depth + 1
        inside = place.introspection is not None
        most = self.limits.introspection_depth if inside else self.limits.depth
        if depth > most:
            self.exceed("introspection_depth" if inside else "depth", found=depth, most=most)
            raise _Enough
        keys_of_field: dict[str, int] = {}
        for merged in fields.values():
            node = merged[0][0]
            name = node.name.value
            keys_of_field[name] = keys_of_field.get(name, 0) + 1
            self.asked.aliases += any(each.alias is not None for each, _kind in merged)
            self.exceed("repetitions", found=len(merged), most=self.limits.repetitions)
        for times in keys_of_field.values():
            self.exceed("aliases_of_a_field", found=times, most=self.limits.aliases_of_a_field)
        for merged in fields.values():
            self.field(merged, place)

    def field(self, merged: list[tuple[ast.Field, Any]], place: _Place) -> None:
        # Fields that are merged may be asked of different types; the dearest counts.
        cost, selected = 0, []
        below: _Place | None = None
        for node, kind in merged:
            definition = self._definition(node, kind)
            if definition is None:
                # Validation will say so.
                cost = max(cost, costs.LEAF)
                continue
            own, its_place = self._weigh(node, kind.name, definition, place)
            cost = max(cost, own)
            if below is None or (its_place.times, its_place.page) > (below.times, below.page):
                below = its_place
            if node.selection_set:
                selected.append((node.selection_set, get_named_type(definition.type)))
        if below is not None and below.introspection is not None:
            self.introspected += below.times
        else:
            self.asked.cost += cost
        if below is not None and selected:
            deeper = _Place(
                depth=place.depth + 1,
                times=below.times,
                page=below.page,
                introspection=below.introspection,
            )
            self.fields(self.collect(selected), deeper)

    def _definition(self, node: ast.Field, kind: Any) -> GraphQLField | None:
        name = node.name.value
        if name == "__typename":
            return TypeNameMetaFieldDef if kind is not None else None
        if kind is self.schema.get_query_type() and name in ("__schema", "__type"):
            return SchemaMetaFieldDef if name == "__schema" else TypeMetaFieldDef
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            return kind.fields.get(name)
        return None

    def _weigh(
        self, node: ast.Field, parent: str, definition: GraphQLField, place: _Place
    ) -> tuple[int, _Place]:
        """(cost of the field itself, all its times together; the place of what is below it)."""
        name = node.name.value
        times, page, introspection = place.times, 1, place.introspection
        if name in ("__schema", "__type"):
            introspection = frozenset()
        listed = costs.is_list(definition) and costs.is_composite(definition)
        if introspection is not None:
            if listed:
                if name in introspection:
                    self.exceed("introspection", found=2, most=1)
                introspection |= {name}
                times *= costs.usual_size(parent=parent, name=name)
            return 0, _Place(times=times, introspection=introspection)

        self._check_lists(node, f"{parent}.{name}")
        if costs.is_connection(definition):
            page = self._page(node, definition)
        elif name == "edges":
            return 0, _Place(times=times * place.page)
        elif listed and "first" in definition.args:
            times *= self._page(node, definition)
        elif listed:
            times *= costs.usual_size(parent=parent, name=name)
        return costs.cost_of(parent=parent, name=name, field=definition) * times, _Place(
            times=times, page=page
        )

    def _page(self, node: ast.Field, definition: GraphQLField) -> int:
        """The items asked for by first or last; the longest page where that is no number that will be taken."""
        given = [
            self._value(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in ("first", "last")
        ]
        # A page forwards or backwards, whose document names both: the one that is null asks for nothing.
        given = [each for each in given if each is not None]
        if not given:
            first = definition.args.get("first")
            given = [first.default_value if first else None]
        sizes = [
            each
            if isinstance(each, int) and not isinstance(each, bool) and 0 <= each < costs.LONGEST_PAGE
            else costs.LONGEST_PAGE
            for each in given
        ]
        return max(sizes)

    def _value(self, node: Any) -> Any:
        if isinstance(node, ast.Variable):
            name = node.name.value
            if self.variables.get(name) is not None:
                return self.variables[name]
            node = self.defaults.get(name)
        return int(node.value) if isinstance(node, ast.IntValue) else None

    def _check_lists(self, node: ast.Field, of: str) -> None:
        most = costs.LIST_ARGUMENTS.get(of, self.limits.list_items)
        for argument in node.arguments or ():
            for found in self._lists(argument.value):
                self.exceed("list_items", found=found, most=most)

    def _lists(self, node: Any) -> Iterator[int]:
        """The lengths of the lists in an argument, those in the variables that it names included."""
        if isinstance(node, ast.ListValue):
            yield len(node.values)
            for value in node.values:
                yield from self._lists(value)
        elif isinstance(node, ast.ObjectValue):
            for each in node.fields:
                yield from self._lists(each.value)
        elif isinstance(node, ast.Variable):
            name = node.name.value
            if name not in self.longest_of_variable:
                self.longest_of_variable[name] = longest_list(self.variables.get(name))
            yield self.longest_of_variable[name]
            if name in self.defaults:
                yield from self._lists(self.defaults[name])


def longest_list(value: Any) -> int:
    """The length of the longest list anywhere in a JSON value."""
    longest, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            longest = max(longest, len(each))
            waiting.extend(each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
    return longest


# ---- Validation --------------------------------------------------------------------------------------------


class _FirstMistakes(ValidationContext):
    def report_error(self, error: Exception) -> None:
        super().report_error(error)
        if len(self.get_errors()) >= MOST_MISTAKES:
            raise _Enough


class _KnownTypes(KnownTypeNames):
    """Without a search for similar names among all types, which takes 200 ms a mistake."""

    def enter_NamedType(self, node: ast.NamedType, *_args: Any) -> None:
        name = node.name.value
        if self.context.get_schema().get_type(name) is None:
            self.context.report_error(GraphQLError(f'Unknown type "{name}".', [node]))


# First of all the fragments: other rules would follow one that holds itself for ever.
_RULES: tuple[tuple[Any, ...], ...] = (
    (NoFragmentCycles,),
    tuple(
        _KnownTypes if rule is KnownTypeNames else rule
        for rule in specified_rules
        if rule is not NoFragmentCycles
    ),
)


def validate(*, schema: GraphQLSchema, document: ast.Document) -> list[Exception]:
    """The document's first mistakes. Raises DocumentInvalid for a literal that its type cannot read."""
    for rules in _RULES:
        mistakes = _mistakes(schema=schema, document=document, rules=rules)
        if mistakes:
            return mistakes
    return []


def _mistakes(*, schema: GraphQLSchema, document: ast.Document, rules: Sequence[Any]) -> list[Exception]:
    type_info = TypeInfo(schema)
    context = _FirstMistakes(schema, document, type_info)
    visitors = [rule(context) for rule in rules]
    try:
        with suppress(_Enough):
            visit(document, TypeInfoVisitor(type_info, ParallelVisitor(visitors)))
    except Exception as error:
        # A scalar's parse_literal raises what its library raises: "badly formed hexadecimal UUID string".
        raise DocumentInvalid from error
    return list(context.get_errors())
