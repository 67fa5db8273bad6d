"""What lies in the cooperatives' sheds: supplies, lots, feeds, and the first count."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from saleor.product.models import Product, ProductVariant

from backend.catalogue.models import Good
from backend.config.demo.files import read_json, read_rows
from backend.config.demo.records import ensure
from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from backend.stock.ledger import lock_stock_rows, lock_supplies
from backend.stock.models import Feed, Pack, Supply

FEED_SECONDS = 20
"""How often the shop asks. The demo's systems write a new count every minute."""

KEEPS_FOR_YEARS = 540
"""Days that a lot without a shelf life is given: a ticket is valid for the season printed on it."""

KEEPS_LONG_DAYS = 60
"""What keeps for so long is there tomorrow, too: an old count of it is as good as a new one."""


def load_supplies(*, cooperatives: dict[str, Cooperative], products: dict[str, Product]) -> None:
    """Each cooperative's goods, with every pack that is filled from them."""
    packs: dict[str, list[tuple[ProductVariant, int]]] = {}
    variants = {variant.sku: variant for variant in ProductVariant.objects.filter(sku__startswith="XY-")}
    for row in read_rows("packs"):
        packs.setdefault(row["good"], []).append((variants[row["sku"]], int(row["base_units"])))
    keeps = dict(Good.objects.filter(shelf_life_days__isnull=False).values_list("product", "shelf_life_days"))
    for row in read_rows("supplies"):
        supply = ensure(
            Supply,
            cooperative=cooperatives[row["cooperative"]],
            code=row["code"],
            values={
                "name": row["name"],
                "product": products[row["good"]],
                "unit": row["base_unit"],
                "container_name": row["container_name"],
                "container_units": int(row["container_units"]) if row["container_units"] else None,
                "is_perishable": (keeps.get(products[row["good"]].pk) or KEEPS_LONG_DAYS) < KEEPS_LONG_DAYS,
            },
        )
        for variant, units in packs[row["good"]]:
            ensure(Pack, supply=supply, variant=variant, values={"units": units})
    # So that a good which nobody has counted yet is sold out in Saleor's eyes, and not unheard of.
    supply_ids = list(
        Supply.objects.filter(cooperative__in=cooperatives.values()).values_list("pk", flat=True)
    )
    with transaction.atomic():
        lock_supplies(supply_ids=supply_ids)
        lock_stock_rows(supply_ids=supply_ids)


def load_lots(*, today: date) -> int:
    """A lot with a promise certificate, marked 示例, for every supply that has goods and no lot that still keeps.

    Returns how many were made: none while those of an earlier loading keep.
    """
    prefixes = {facts["slug"]: facts["lot_prefix"] for facts in read_json("cooperatives")}
    wanting = (
        Supply.objects.filter(on_hand__gt=0, cooperative__is_demo=True)
        .filter(Q(lot__isnull=True) | Q(lot__is_demo=True, lot__best_before__lt=today))
        .select_related("cooperative__village", "product__good")
    )
    made = 0
    for supply in wanting:
        cooperative = supply.cooperative
        number = f"{prefixes[cooperative.slug]}-{today:%Y%m%d}-{supply.code.rsplit('-', 1)[-1]}"
        keeps = supply.product.good.shelf_life_days
        lot = ensure(
            HarvestLot,
            cooperative=cooperative,
            code=number,
            values={
                "product": supply.product,
                "harvested_on": today,
                "best_before": today + timedelta(days=KEEPS_FOR_YEARS if keeps is None else keeps),
                "plot": f"{cooperative.village.name}（示例）",
                "certificate_number": f"示例-{number}",
                "certificate_issuer": f"{cooperative.name}（示例）",
                "certificate_issued_on": today,
                "is_demo": True,
            },
        )
        # The lot alone: the balances beside it belong to the ledger.
        Supply.objects.filter(pk=supply.pk).update(lot=lot)
        made += 1
    return made


def load_feeds(*, cooperatives: dict[str, Cooperative], base_url: str) -> dict[str, Feed]:
    """Each cooperative's feed, by slug. Its address is kept that of this machine's feed server."""
    feeds = {}
    for facts in read_json("cooperatives"):
        url = base_url.rstrip("/") + facts["feed"]["path"]
        feed = ensure(
            Feed,
            cooperative=cooperatives[facts["slug"]],
            kind=facts["feed"]["kind"],
            values={"url": url, "basis": facts["feed"]["basis"], "interval_seconds": FEED_SECONDS},
        )
        if feed.url != url and feed.url.endswith(facts["feed"]["path"]):
            feed.url, feed.etag = url, ""
            feed.save(update_fields=["url", "etag"])
        feeds[facts["slug"]] = feed
    return feeds
