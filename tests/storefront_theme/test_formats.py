"""How figures are written, in Chinese and in English."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.utils import translation

from storefront_theme.templatetags import shop

CHINESE, ENGLISH = "zh-hans", "en"


@pytest.mark.parametrize(
    "months, chinese, english",
    [
        ([11, 12, 1, 2, 3], "11–3月", "November–March"),
        ([4, 5, 6, 9, 10, 11], "4–6月、9–11月", "April–June, September–November"),
        ([5], "5月", "May"),
        ([12, 1], "12–1月", "December–January"),
        ([], "全年", "all year"),
        (range(1, 13), "全年", "all year"),
    ],
)
def test_a_season_is_written_as_spans_that_wrap_over_the_years_end(
    months: list[int], chinese: str, english: str
) -> None:
    with translation.override(CHINESE):
        assert shop.months(months) == chinese
    with translation.override(ENGLISH):
        assert shop.months(months) == english


@pytest.mark.parametrize(
    "counted_at, said",
    [
        ("2026-11-23T06:10:00+08:00", "今早 6:10 点数"),
        ("2026-11-22T22:10:00Z", "今早 6:10 点数"),
        ("2026-11-23T14:20:00+08:00", "今天 14:20 点数"),
        ("2026-11-23T00:05:00+08:00", "今天 0:05 点数"),
        ("2026-11-22T16:05:00+08:00", "昨天 16:05 点数"),
        ("2026-11-20T16:05:00+08:00", "11月20日 16:05 点数"),
        ("2025-11-20T16:05:00+08:00", "2025年11月20日 16:05 点数"),
        (None, ""),
    ],
)
def test_a_count_says_when_in_shanghais_time(counted_at: str | None, said: str) -> None:
    with (
        time_machine.travel(datetime(2026, 11, 23, 7, 0, tzinfo=UTC), tick=False),
        translation.override(CHINESE),
    ):
        assert shop.counted(counted_at).replace(" 点数", "点数") == said.replace(" 点数", "点数")


@pytest.mark.parametrize(
    "value, written",
    [
        ({"amount": 12.8, "currency": "CNY"}, "¥12.80"),
        (Decimal("0.1"), "¥0.10"),
        (1234.5, "¥1,234.50"),
        (None, ""),
    ],
)
def test_money_has_two_places(value: object, written: str) -> None:
    assert shop.money(value) == written  # type: ignore[arg-type] # one of each that the API may give


def test_a_price_can_be_read_aloud_and_set_small() -> None:
    assert shop.price(Decimal("12.8")) == '<span class="price"><small>¥</small>12<small>.80</small></span>'


@pytest.mark.parametrize(
    "grams, written", [(500, "500 g"), (2500, "2.5 kg"), (1000, "1 kg"), (4600, "4.6 kg"), (None, "")]
)
def test_weights_are_grams_below_a_kilogram(grams: int | None, written: str) -> None:
    assert shop.weight(grams) == written


def test_data_for_search_engines_cannot_end_its_element() -> None:
    written = shop.json_data({"name": "</script><script>alert(1)</script>"})
    assert written.count("<") == 2
    assert "\\u003c/script" in written


@pytest.mark.parametrize(
    "text, length, opening",
    [
        ("菜是早上采的。中午就到。晚上下锅。", 12, "菜是早上采的。中午就到。"),
        ("菜是早上采的，中午就到，晚上下锅。", 4, "菜是早上采的，中午就到，晚上下锅。"),
        (
            "Picked at dawn. There at noon, for 2.50 yuan. Cooked.",
            24,
            "Picked at dawn. There at noon, for 2.50 yuan.",
        ),
        ("没有句号", 9, "没有句号"),
        ("", 9, ""),
    ],
)
def test_a_text_opens_with_whole_sentences(text: str, length: int, opening: str) -> None:
    assert shop.opening(text, length) == opening


@pytest.mark.parametrize(
    "language, said",
    [(CHINESE, "11月24日（星期二）9:00–12:00"), (ENGLISH, "Tuesday, 24 November, 9:00–12:00")],
)
def test_a_window_is_a_weekday_a_day_and_two_times(language: str, said: str) -> None:
    with translation.override(language):
        assert shop.window_text(day="2026-11-24", starts="09:00:00", ends="12:00:00") == said
