"""What each part of the schema costs to answer, in units of about 30 microseconds of a web process.

Declared here, beside the schema, since nobody can see from a type that `board` adds up a week of movements. A list of
objects that takes no `first` has its usual length here; tests/backend/api/test_limits.py fails for one that has not.
"""

from __future__ import annotations

from graphql.type.definition import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)

LEAF = 1
OBJECT = 10
# Two queries each time: how many there are, and the page.
CONNECTION = 50
MUTATION = 200

# A page of a connection, or a list with `first`, for which no usable number was given.
LONGEST_PAGE = 100

# What differs from the above, as "Type.field".
FIELD_COSTS = {
    # Adds up the ledger and the orders of a week.
    "Query.board": 500,
    "Query.packList": 500,
    "Query.goodsInSeason": 200,
    "Query.seasonalGoods": 200,
    "Query.dishesOfTheDay": 100,
    # Up to four ways of looking, each a query.
    "Query.search": 200,
    "Query.searchSuggestions": 20,
    "Query.goods": 200,
    # Reads a whole shelf.
    "GoodsConnection.facets": 500,
    # Reads every recipe that it names, or all of them.
    "Query.shoppingList": 300,
    "Query.weekMenu": 500,
    # Looks a text through for every place of the country.
    "Query.readAddress": 100,
    "Query.reportProductSales": 1_000,
    "Query.ordersTotal": 500,
    "Query.webhookSamplePayload": 500,
    # A password is hashed, slowly on purpose.
    "Mutation.tokenCreate": 3_000,
    "Mutation.accountRegister": 3_000,
    "Mutation.setPassword": 3_000,
    "Mutation.passwordChange": 3_000,
    "Mutation.requestEmailChange": 3_000,
    "Mutation.confirmEmailChange": 3_000,
    "Mutation.accountClose": 3_000,
    "Mutation.accountDelete": 1_000,
    "Mutation.accountExport": 4_000,
    "Mutation.requestPasswordReset": 1_000,
    # Locks, allocates, and asks a payment gateway.
    "Mutation.orderPlace": 3_000,
    # Draws up to four photos anew.
    "Mutation.claimOpen": 10_000,
    "Mutation.checkoutComplete": 3_000,
    "Mutation.checkoutCreate": 1_000,
    "Mutation.stockLinesConfirm": 3_000,
    "Mutation.stockReportConfirm": 3_000,
    "Mutation.stockReportRetry": 1_000,
    "Mutation.stockReportSubmit": 3_000,
    "Mutation.stockReportUndo": 3_000,
    "Mutation.stockReportUpload": 1_000,
    # Reads the whole file and weighs each of its rows.
    "StockReport.preview": 5_500,
    # Ten megabytes, and a third more as text.
    "StockReport.rawBase64": 10_000,
    "Query.claimPhoto": 500,
    "StockReport.progress": 20,
    # Each asks the database for itself.
    "Product.images": 30,
    "Product.dishes": 20,
    "User.orders": 100,
    "Order.events": 50,
    "Order.payments": 30,
    "Order.availableShippingMethods": 100,
    "Checkout.availableShippingMethods": 100,
    "Checkout.totalPrice": 30,
    "Checkout.subtotalPrice": 30,
    "Checkout.shippingPrice": 30,
    "Checkout.voucher": 100,
}

# How long a list usually is, as "Type.field", or "field" for every type that has it.
LIST_SIZES = {
    "addresses": 5,
    "alternatives": 3,
    "attributes": 5,
    "authorizationKeys": 2,
    "availablePaymentGateways": 3,
    "availableShippingMethods": 10,
    "byVillage": 20,
    "campaigns": 5,
    "children": 10,
    "cityAreaChoices": 20,
    "cityChoices": 20,
    "claimable": 10,
    "claims": 2,
    "clients": 2,
    "collections": 3,
    "columns": 10,
    "config": 3,
    "configuration": 10,
    "cooperatives": 3,
    "countries": 10,
    "countryAreaChoices": 35,
    "Shop.countries": 250,
    "dishes": 5,
    "editableGroups": 5,
    "events": 20,
    "fulfilledItems": 10,
    "fulfillments": 3,
    "giftCards": 2,
    "goods": 50,
    "images": 5,
    "ingredients": 8,
    "items": 10,
    "languages": 2,
    "latestCounts": 10,
    "lines": 10,
    "lots": 2,
    "meta": 2,
    "metadata": 5,
    "myCooperatives": 3,
    "myWaits": 10,
    "orderLines": 10,
    "orders": 50,
    "packs": 3,
    "payments": 2,
    "permissionGroups": 5,
    "permissions": 20,
    "privateMeta": 2,
    "privateMetadata": 5,
    "photos": 4,
    "productAttributes": 5,
    "productVariants": 10,
    "reducedRates": 10,
    "sevenDays": 7,
    "shippingMethods": 10,
    "sourcePermissionGroups": 5,
    "sources": 3,
    "staffNotificationRecipients": 5,
    "stocks": 3,
    "storedPaymentSources": 3,
    "stockAlerts": 5,
    "stockTokens": 10,
    "supplies": 50,
    "tokens": 3,
    "topGoods": 10,
    "transactions": 3,
    "urls": 3,
    "userPermissions": 20,
    "users": 20,
    "values": 5,
    "variantAttributes": 3,
    "variants": 3,
    "warehouses": 5,
    "windows": 6,
    "webhookEvents": 15,
    "webhooks": 3,
    "Divisions.provinces": 35,
    "Divisions.cities": 20,
    "Divisions.districts": 20,
    "Divisions.towns": 20,
    "GoodsFacets.cooperatives": 10,
    "GoodsFacets.months": 12,
    "GoodsFacets.prices": 5,
    "GoodsFacets.storages": 3,
    "GoodsFacets.villages": 10,
    "SearchResult.cooperatives": 10,
    "SearchResult.dishes": 24,
    "SearchResult.products": 24,
    "SearchResult.villages": 10,
    "Query.cooperatives": 20,
    "Query.dishes": 30,
    "Query.seasonalGoods": 60,
    "Query.villages": 20,
    "Query.weekMenu": 7,
    "MenuDay.dishes": 2,
    "ShoppingList.lines": 30,
    "ShoppingListLine.packs": 3,
    "ShoppingListLine.portions": 3,
    # Of the schema itself: about as many as it has.
    "__Schema.types": 700,
    "__Schema.directives": 3,
    "__Type.fields": 4,
    "__Type.interfaces": 1,
    "__Type.possibleTypes": 1,
    "__Type.enumValues": 2,
    "__Type.inputFields": 1,
    "__Field.args": 1,
    "__Directive.args": 1,
}
UNDECLARED_LIST_SIZE = 10

# Introspection asks no database: so many of its fields cost one unit.
INTROSPECTION_FIELDS_PER_UNIT = 20

# Lists that a client may give, as "Type.field"; elsewhere LIMITS.list_items holds.
LIST_ARGUMENTS = {
    # A cooperative's whole shed in one report.
    "Mutation.stockLinesConfirm": 5_000,
    "Mutation.stockReportConfirm": 5_000,
    "Mutation.stockReportSubmit": 5_000,
}


def is_composite(field: GraphQLField) -> bool:
    return isinstance(get_named_type(field.type), (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType))


def is_list(field: GraphQLField) -> bool:
    kind = field.type
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList)


def is_connection(field: GraphQLField) -> bool:
    kind = get_named_type(field.type)
    return isinstance(kind, GraphQLObjectType) and "edges" in kind.fields and "pageInfo" in kind.fields


def cost_of(*, parent: str, name: str, field: GraphQLField) -> int:
    """Of one such field, or of one item where it is a list; without what is selected below it."""
    declared = FIELD_COSTS.get(f"{parent}.{name}")
    if declared is not None:
        return declared
    if parent == "Mutation":
        return MUTATION
    if not is_composite(field):
        return LEAF
    return CONNECTION if is_connection(field) else OBJECT


def usual_size(*, parent: str, name: str) -> int:
    """How many items a list has that takes no `first`."""
    return LIST_SIZES.get(f"{parent}.{name}", LIST_SIZES.get(name, UNDECLARED_LIST_SIZE))
