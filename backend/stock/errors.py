"""What can go wrong between a cooperative's books and the shelf."""

from __future__ import annotations

from backend.common.errors import ShopError


class FeedUnreadable(ShopError):
    """The document cannot be read as a whole: nothing of it is applied. Sending the same again cannot help."""

    code = "feed_unreadable"


class FeedUnavailable(ShopError):
    """The cooperative's system did not answer, or not as it should: asked again later."""

    code = "feed_unavailable"
    permanent = False


class FeedForbidden(ShopError):
    """The feed's address leads where this shop does not go."""

    code = "feed_forbidden"


class ReportConflict(ShopError):
    """The key of a report was used before, for another content."""

    code = "report_conflict"
    field = "idempotencyKey"


class ReportGivenUp(ShopError):
    """The report could not be applied however often it was tried: it waits for a person."""

    code = "report_given_up"


class ReportClosed(ShopError):
    """The report is past the point where this could be done with it."""

    code = "report_closed"


class MappingUnclear(ShopError):
    """What was said of the headings does not say where the quantities, or the goods, stand."""

    code = "mapping_unclear"
    field = "mapping"
