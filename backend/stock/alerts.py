"""Tells the shop's staff of what needs a person: each trouble once, until it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from saleor.account.models import User

from backend.common.clock import in_shop_zone
from backend.stock.models import Alert, Report, Supply
from backend.stock.silence import silent_feeds

log = structlog.get_logger(__name__)

Kind = Alert.Kind

Key = tuple[str, int, int | None]
"""Kind, cooperative, feed."""

READS_ALERTS = "product.manage_products"
"""Who of the staff is told."""


@dataclass(frozen=True)
class Trouble:
    since: datetime
    message: str


def watch(*, now: datetime) -> None:
    """Open an alert for every trouble that is new, end those that are over, and tell of what was not told yet."""
    with translation.override(settings.LANGUAGE_CODE):
        with transaction.atomic():
            _bring_up_to_date(troubles=find_troubles(now=now), now=now)
        _tell(now=now)


def open_alerts(*, cooperative_id: int | None = None) -> list[Alert]:
    """What is the matter now, the newest first; of one cooperative, or of all."""
    alerts = Alert.objects.filter(ended_at__isnull=True).select_related("cooperative", "feed")
    return list(alerts if cooperative_id is None else alerts.filter(cooperative=cooperative_id))


def find_troubles(*, now: datetime) -> dict[Key, Trouble]:
    """What is the matter, in the active language."""
    troubles: dict[Key, Trouble] = {}
    for silence in silent_feeds(now=now):
        feed = silence.feed
        kind = Kind.FEED_STOPPED if silence.is_stopped else Kind.FEED_SILENT
        message = (
            _("Nothing heard from %(feed)s since %(moment)s: its goods are off sale. %(error)s")
            if silence.is_stopped
            else _("Nothing heard from %(feed)s since %(moment)s. %(error)s")
        )
        troubles[kind, feed.cooperative_id, feed.pk] = Trouble(
            since=silence.since,
            message=message % {"feed": feed, "moment": _written(silence.since), "error": feed.last_error},
        )
    old = now - timedelta(hours=settings.STOCK_COUNTS_OLD_HOURS)
    counted = (
        Supply.objects.filter(is_active=True, cooperative__is_active=True)
        .values("cooperative", "cooperative__name")
        .annotate(newest=Max("counted_at"))
        .filter(newest__lt=old)
    )
    for row in counted:
        troubles[Kind.COUNTS_OLD, row["cooperative"], None] = Trouble(
            since=row["newest"],
            message=_("%(cooperative)s counted for the last time on %(moment)s.")
            % {"cooperative": row["cooperative__name"], "moment": _written(row["newest"])},
        )
    failed = (
        Report.objects.filter(status=Report.Status.FAILED)
        .values("cooperative", "cooperative__name")
        .annotate(reports=Count("pk"), first=Min("received_at"))
    )
    for several in failed:
        troubles[Kind.REPORT_FAILED, several["cooperative"], None] = Trouble(
            since=several["first"],
            message=_(
                "%(reports)s reports of %(cooperative)s could not be applied. "
                "Its records, and the admin, can try them again."
            )
            % {"reports": several["reports"], "cooperative": several["cooperative__name"]},
        )
    return troubles


def _bring_up_to_date(*, troubles: Mapping[Key, Trouble], now: datetime) -> None:
    standing = {
        (alert.kind, alert.cooperative_id, alert.feed_id): alert
        for alert in Alert.objects.select_for_update(of=("self",))
        .filter(ended_at__isnull=True)
        .order_by("pk")
    }
    over = [alert.pk for key, alert in standing.items() if key not in troubles]
    Alert.objects.filter(pk__in=over).update(ended_at=now)
    Alert.objects.bulk_create(
        [
            Alert(
                kind=kind,
                cooperative_id=cooperative_id,
                feed_id=feed_id,
                message=trouble.message[:300],
                since=trouble.since,
                opened_at=now,
            )
            for (kind, cooperative_id, feed_id), trouble in troubles.items()
            if (kind, cooperative_id, feed_id) not in standing
        ],
        # Another watcher may have been quicker.
        ignore_conflicts=True,
    )


def _tell(*, now: datetime) -> None:
    """One letter of all that is new. A mail server that is away leaves it to the next round."""
    with transaction.atomic():
        untold = list(
            Alert.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(told_at__isnull=True, ended_at__isnull=True)
            .order_by("pk")
        )
        if not untold:
            return
        readers = _readers()
        if not readers:
            # Told as soon as there is somebody.
            log.warning("alerts_have_no_reader", alerts=len(untold))
            return
        try:
            _letter(alerts=untold, readers=readers).send()
        except OSError as error:
            # smtplib's errors are OSErrors, too.
            log.warning("alerts_not_sent", error=type(error).__name__, alerts=len(untold))
            return
        Alert.objects.filter(pk__in=[alert.pk for alert in untold]).update(told_at=now)


def _letter(*, alerts: Sequence[Alert], readers: Sequence[str]) -> EmailMessage:
    lines = [f"· {alert.message}" for alert in alerts]
    return EmailMessage(
        subject=_("Xinyi Basket: %(alerts)s things need somebody") % {"alerts": len(alerts)},
        body="\n".join(
            [
                *lines,
                "",
                str(format_lazy("{url}/admin/stock/alert/", url=settings.PUBLIC_URL)),
                _("Each is told once; the page shows what is over."),
            ]
        ),
        # Nobody needs to learn the others' addresses.
        bcc=list(readers),
    )


def _readers() -> list[str]:
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    return [user.email for user in staff if user.has_perm(READS_ALERTS)]


def _written(moment: datetime) -> str:
    return f"{in_shop_zone(moment):%Y-%m-%d %H:%M}"
