"""When a good would come, by where the buyer lives: what the page of a good says before anything is in the basket.

Ordered before the cut-off it is harvested at the next dawn. The checkout has the windows that are really free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from storefront_theme.templatetags.shop import SHANGHAI

# What keeps for less goes nowhere that takes longer than 48 hours from the harvest on.
SHORT_LIVED_DAYS = 3


@dataclass(frozen=True)
class Delivery:
    """One place where buyers live. hours: may be empty; comes_on is None where the good is not sent."""

    place: str
    comes_on: date | None
    hours: str


@dataclass(frozen=True)
class Deliveries:
    """harvested_on: of what is ordered now. today_until: the hour, where today's cut-off has not passed."""

    harvested_on: date
    today_until: str
    by_place: tuple[Delivery, ...]
    is_short_lived: bool


def deliveries(*, now: datetime, shelf_life_days: int | None) -> Deliveries:
    """For an order of this moment. shelf_life_days: None for what keeps for long."""
    local = now.astimezone(SHANGHAI)
    cut_off: int = settings.DELIVERY_CUT_OFF
    before_cut_off = local.hour < cut_off
    harvested_on = local.date() + timedelta(days=1 if before_cut_off else 2)
    short_lived = shelf_life_days is not None and shelf_life_days <= SHORT_LIVED_DAYS
    return Deliveries(
        harvested_on=harvested_on,
        today_until=f"{cut_off}:00" if before_cut_off else "",
        by_place=(
            Delivery(
                _("Mianyang city"),
                harvested_on,
                _("%(hours)s, by our own van") % {"hours": _hours("own_van")},
            ),
            Delivery(
                _("Xinyi town and its villages"),
                harvested_on,
                _("to be fetched, %(hours)s") % {"hours": _hours("pick_up")},
            ),
            Delivery(
                _("elsewhere in Sichuan"),
                harvested_on + timedelta(days=settings.DELIVERY_DAYS_LATER["next_day"]),
                _("by courier"),
            ),
            Delivery(_("other provinces"), None, ""),
        ),
        is_short_lived=short_lived,
    )


def _hours(kind: str) -> str:
    """9:00–12:00 or 15:00–18:00."""
    return _(" or ").join(f"{starts}:00–{ends}:00" for starts, ends in settings.DELIVERY_HOURS[kind])
