from __future__ import annotations

import re

from backend.provenance.models import TRACE_CODE_LENGTH, HarvestLot

_CODE = re.compile(rf"[0-9a-f]{{{TRACE_CODE_LENGTH}}}")


def lot_by_trace_code(code: str) -> HarvestLot | None:
    """The lot of a label, recalled ones included; capitals and blanks of somebody who typed it do not matter."""
    wanted = re.sub(r"[\s-]", "", code).lower()
    if not _CODE.fullmatch(wanted):
        return None
    return (
        HarvestLot.objects.select_related("cooperative__village", "product").filter(trace_code=wanted).first()
    )
