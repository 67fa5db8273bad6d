"""Pages keep their weight on a phone, and nothing on them jumps while they come. How long they take: tests/bench."""

from __future__ import annotations

import pytest

from tests.browser import Visitors
from tests.page_weight import weigh
from tests.shop import Shop

KB = 1024


@pytest.mark.parametrize("path", ["/", "/c/leafy/", "/p/wosun/"])
def test_a_page_is_light_and_stands_still(shop: Shop, visitors: Visitors, path: str) -> None:
    phone = visitors.come(service_worker=False)
    weight = weigh(phone, address=path, slow=False)
    assert weight.bytes_of["html"] <= 20 * KB
    assert weight.bytes_of["css"] <= 12 * KB
    assert weight.bytes_of["js"] <= 10 * KB
    assert 0 < weight.first_pictures <= 120 * KB
    assert weight.requests <= 12
    assert weight.elsewhere == []
    assert weight.cls < 0.01
