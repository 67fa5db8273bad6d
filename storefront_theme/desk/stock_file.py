"""The present stock as a CSV file that a bookkeeper fills in and uploads again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from storefront_theme.desk.counts import figure, units_of

# The headings that the shop's reader knows, in the language of the books.
HEADINGS = ("编码", "品名", "库存", "单位")

# What a spreadsheet would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def stock_csv(supplies: Sequence[Mapping[str, Any]]) -> bytes:
    """UTF-8 with BOM, without which Excel reads Chinese as something else."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(HEADINGS)
    for supply in supplies:
        usual = units_of(supply)[0]
        rows.writerow(
            [
                harmless(supply["code"]),
                harmless(supply["name"]),
                figure(supply["onHand"], unit=supply["unit"]),
                harmless(usual.value),
            ]
        )
    return written.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
