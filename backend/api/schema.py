"""The schema: subclasses of Saleor's Query and Mutation, with ours added and what must not be public left out.

Saleor's ready-made saleor.graphql.api.schema is never used: its federation field _entities hands anybody's account,
addresses and orders to anonymous clients (upstream b1cb79cf15).
"""

from __future__ import annotations

import graphene
from saleor.graphql import api as saleor_api
from saleor.graphql.order.types import OrderLine
from saleor.graphql.product.types import ProductVariant

from backend.api import accounts, extensions
from backend.api.batching import batch
from backend.api.desk import DeskQueries
from backend.api.finding import FindingQueries
from backend.api.kitchen import KitchenQueries
from backend.api.mutations.claims import ClaimOpen
from backend.api.mutations.ordering import OrderCancelOwn, OrderPlace
from backend.api.mutations.people import AccountClose, AccountExport
from backend.api.mutations.programs import StockTokenIssue, StockTokenRevoke
from backend.api.mutations.stock import (
    StockLinesConfirm,
    StockReportColumns,
    StockReportConfirm,
    StockReportDiscard,
    StockReportRetry,
    StockReportSubmit,
    StockReportUndo,
    StockReportUpload,
)
from backend.api.mutations.waiting import WaitForStock, WaitStop, WaitStopAll
from backend.api.people import PeopleQueries
from backend.api.queries import ShopQueries

# Each is left out for a reason, which backend/saleor_port/README.md tells in a table.
LEFT_OUT_QUERIES = (
    "checkout_line",
    "digital_content",
    "digital_contents",
    "gift_card",
    "gift_cards",
    "homepage_events",
    "plugin",
    "plugins",
    "service_account",
    "service_accounts",
    "tax_types",
)
LEFT_OUT_MUTATIONS = (
    "authorization_key_add",
    "authorization_key_delete",
    "digital_content_create",
    "digital_content_delete",
    "digital_content_update",
    "digital_content_url_create",
    "gift_card_activate",
    "gift_card_create",
    "gift_card_deactivate",
    "gift_card_update",
    "order_update_meta",
    "payment_secure_confirm",
    "plugin_update",
    "service_account_clear_private_metadata",
    "service_account_create",
    "service_account_delete",
    "service_account_token_create",
    "service_account_token_delete",
    "service_account_update",
    "service_account_update_private_metadata",
    "shop_fetch_tax_rates",
)
LEFT_OUT_FIELDS = ((ProductVariant, "digital_content"), (OrderLine, "digital_content_url"))


class Query(FindingQueries, ShopQueries, KitchenQueries, PeopleQueries, DeskQueries, saleor_api.Query):
    """Everything that can be asked."""


class Mutation(saleor_api.Mutation):
    """Everything that can be done."""

    claim_open = ClaimOpen.Field()
    account_close = AccountClose.Field()
    account_export = AccountExport.Field()
    order_place = OrderPlace.Field()
    order_cancel_own = OrderCancelOwn.Field()
    stock_lines_confirm = StockLinesConfirm.Field()
    stock_report_columns = StockReportColumns.Field()
    stock_report_confirm = StockReportConfirm.Field()
    stock_report_discard = StockReportDiscard.Field()
    stock_report_retry = StockReportRetry.Field()
    stock_report_submit = StockReportSubmit.Field()
    stock_report_undo = StockReportUndo.Field()
    stock_report_upload = StockReportUpload.Field()
    stock_token_issue = StockTokenIssue.Field()
    stock_token_revoke = StockTokenRevoke.Field()
    wait_for_stock = WaitForStock.Field()
    wait_stop = WaitStop.Field()
    wait_stop_all = WaitStopAll.Field()


for _name in LEFT_OUT_QUERIES:
    del Query._meta.fields[_name]
for _name in LEFT_OUT_MUTATIONS:
    del Mutation._meta.fields[_name]
for _type, _name in LEFT_OUT_FIELDS:
    del _type._meta.fields[_name]

schema = graphene.Schema(query=Query, mutation=Mutation)
batch(schema)

__all__ = ["accounts", "extensions", "schema"]
