"""The ledger and what leads to it.

Feed -> Report (raw bytes) -> Movement (a cell that counts: one ledger entry) or UnappliedLine (one that does not; both
together are its ReportLines) -> Supply (the running balances of its movements) -> Pack -> Saleor's Stock row (its
projection).
"""

from backend.stock.models.feeds import Feed
from backend.stock.models.movements import Movement, Shortfall
from backend.stock.models.reports import ColumnMapping, LotChange, Report, ReportLine, UnappliedLine
from backend.stock.models.supplies import Pack, Supply
from backend.stock.models.troubles import Alert, DeadLetter

__all__ = [
    "Alert",
    "ColumnMapping",
    "DeadLetter",
    "Feed",
    "LotChange",
    "Movement",
    "Pack",
    "Report",
    "ReportLine",
    "Shortfall",
    "Supply",
    "UnappliedLine",
]
