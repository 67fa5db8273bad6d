"""The counting form: what a bookkeeper reads, what was typed, and what became of it.

Stock is base units (grams, or pieces) in the API; a bookkeeper reads and types 斤 or pieces. Typed text goes to the API
as it stands: the shop, not the form, decides what "一百二" means.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

GRAMS_PER_JIN = 500


@dataclass(frozen=True)
class Unit:
    """A unit to choose. value is what the API is told, label what the bookkeeper reads."""

    value: str
    label: str


@dataclass(frozen=True)
class Typed:
    """What stood in a field when the button was pressed, blanks at the ends removed."""

    quantity: str
    unit: str


@dataclass(frozen=True)
class Field:
    """One good on the form. Figures are in the unit that unit_label names; shortfall is '' when there is none.

    address: of the page that tells why the figure is what it is.
    """

    supply_id: str
    code: str
    name: str
    picture: str
    unit_label: str
    units: tuple[Unit, ...]
    on_hand: str
    promised: str
    free: str
    shortfall: str
    counted_at: datetime | None
    typed: Typed
    message: str = ""
    address: str = ""


@dataclass(frozen=True)
class Change:
    """What saving did to one good: figures in the unit that unit_label names; before is '' when it is not known.

    slug: of the good's page in the shop.
    """

    name: str
    unit_label: str
    before: str
    after: str
    difference: str
    shortfall: str
    message: str
    slug: str = ""


def figure(base_units: int, *, unit: str) -> str:
    """Base units as a bookkeeper reads them: grams in 斤, pieces as they are; no more decimals than it takes."""
    if unit == "GRAM":
        return f"{(Decimal(base_units) / GRAMS_PER_JIN).normalize():f}"
    return str(base_units)


def difference(*, before: int, after: int, unit: str) -> str:
    """+12.5, −3 or 0."""
    sign = "+" if after > before else "−" if after < before else ""
    return sign + figure(abs(after - before), unit=unit)


def unit_label(supply: Mapping[str, Any]) -> str:
    """What figures of a supply are in. Oil in single cans is counted in cans (桶), not in pieces."""
    if supply["unit"] == "GRAM":
        return _("jin")
    return supply["containerName"] if _is_its_own_container(supply) else _("pcs")


def units_of(supply: Mapping[str, Any]) -> tuple[Unit, ...]:
    """The units to choose from, the usual one first. A container appears once the shop knows what it holds."""
    if supply["unit"] == "GRAM":
        known = [Unit("斤", _("jin")), Unit("公斤", _("kg")), Unit("g", _("g"))]
    elif _is_its_own_container(supply):
        return (Unit(supply["containerName"], supply["containerName"]),)
    else:
        known = [Unit("个", _("pcs"))]
    if supply["containerName"] and supply["containerUnits"]:
        holds = f"{figure(supply['containerUnits'], unit=supply['unit'])} {unit_label(supply)}"
        label = _("%(container)s of %(holds)s") % {
            "container": supply["containerName"],
            "holds": holds,
        }
        known.append(Unit(supply["containerName"], label))
    return tuple(known)


def read_typed(posted: Mapping[str, str], *, supplies: Sequence[Mapping[str, Any]]) -> dict[str, Typed]:
    """What was typed, by supply id; blank fields are absent. A unit that is no choice becomes the usual one.

    A tick at “sold out” is a 0, where no figure was typed.
    """
    found = {}
    for supply in supplies:
        quantity = posted.get(f"quantity-{supply['id']}", "").strip()
        if not quantity and posted.get(f"sold-{supply['id']}"):
            quantity = "0"
        if not quantity:
            continue
        choices = [unit.value for unit in units_of(supply)]
        unit = posted.get(f"unit-{supply['id']}", "")
        found[supply["id"]] = Typed(quantity=quantity, unit=unit if unit in choices else choices[0])
    return found


def report_lines(
    typed: Mapping[str, Typed], *, supplies: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """The lines of a StockReportInput, in the order of the form."""
    return [
        {
            "code": supply["code"],
            "quantity": typed[supply["id"]].quantity,
            "unit": typed[supply["id"]].unit,
        }
        for supply in supplies
        if supply["id"] in typed
    ]


def report_key(form_key: str, *, lines: Sequence[Mapping[str, str]]) -> str:
    """The idempotency key: a second tap on the same form says the same, a corrected form is a new report."""
    content = json.dumps(list(lines), ensure_ascii=False, sort_keys=True)
    return f"desk-{form_key[:40]}-{hashlib.sha256(content.encode()).hexdigest()[:20]}"


def fields(
    supplies: Sequence[Mapping[str, Any]],
    *,
    typed: Mapping[str, Typed],
    messages: Mapping[str, str] | None = None,
    address: Callable[[str], str] = lambda _code: "",
) -> list[Field]:
    """The form's fields. messages: what was wrong, by supply id; address: of a good's history, by its code."""
    drawn = []
    for supply in supplies:
        unit, units = supply["unit"], units_of(supply)
        thumbnail = supply["product"]["thumbnail"]
        drawn.append(
            Field(
                supply_id=supply["id"],
                code=supply["code"],
                name=supply["name"],
                picture=thumbnail["url"] if thumbnail else "",
                unit_label=unit_label(supply),
                units=units,
                on_hand=figure(supply["onHand"], unit=unit),
                promised=figure(supply["allocated"], unit=unit) if supply["allocated"] else "",
                free=figure(max(supply["free"], 0), unit=unit),
                shortfall=_shortfall(supply),
                counted_at=datetime.fromisoformat(supply["countedAt"]) if supply["countedAt"] else None,
                typed=typed.get(supply["id"]) or Typed(quantity="", unit=units[0].value),
                message=(messages or {}).get(supply["id"], ""),
                address=address(supply["code"]),
            )
        )
    return drawn


def changes(lines: Sequence[Mapping[str, Any]], *, before: Mapping[str, int]) -> list[Change]:
    """What the accepted lines of a report changed. before: base units on hand by supply id, as far as known."""
    drawn = []
    for line in lines:
        supply = line["supply"]
        if line["outcome"] != "ACCEPTED" or supply is None:
            continue
        unit, old, new = supply["unit"], before.get(supply["id"]), supply["onHand"]
        drawn.append(
            Change(
                name=supply["name"],
                unit_label=unit_label(supply),
                before="" if old is None else figure(old, unit=unit),
                after=figure(new, unit=unit),
                difference="" if old is None else difference(before=old, after=new, unit=unit),
                shortfall=_shortfall(supply),
                message=line["message"] or "",
                slug=supply["product"].get("slug", ""),
            )
        )
    return drawn


def taken_over(line: Mapping[str, Any]) -> str:
    """The figure that the shop read in a row, with its unit; '' when it read none."""
    if line["supply"] is None or line["baseUnits"] is None:
        return ""
    supply = line["supply"]
    return f"{figure(line['baseUnits'], unit=supply['unit'])} {unit_label(supply)}"


def cell_of(line: Mapping[str, Any]) -> str:
    """Where a row stands in its file: row 7, column C."""
    if not line["line"]:
        return ""
    if line["column"]:
        return _("row %(row)s, column %(column)s") % {"row": line["line"], "column": line["column"]}
    return _("row %(row)s") % {"row": line["line"]}


def _is_its_own_container(supply: Mapping[str, Any]) -> bool:
    """A piece that has a name of its own: 桶, 盒, 只."""
    return bool(supply["unit"] == "PIECE" and supply["containerName"] and supply["containerUnits"] == 1)


def _shortfall(supply: Mapping[str, Any]) -> str:
    return figure(supply["shortfall"], unit=supply["unit"]) if supply["shortfall"] else ""
