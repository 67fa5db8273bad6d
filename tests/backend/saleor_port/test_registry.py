"""The list of patches itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import backend.saleor_port
from backend.saleor_port import patches, without
from backend.saleor_port.registry import Patch, Phase, Replace

TESTS = Path(__file__).parent


def test_every_patch_is_on() -> None:
    off = {each.name for each in patches() if not each.is_on}
    assert off == set()


def test_every_patch_says_which_release_or_commit_or_why() -> None:
    assert all(len(each.reason) > 40 for each in patches())


def test_every_patch_is_taken_out_by_some_test() -> None:
    taken_out = set()
    for file in TESTS.glob("test_*.py"):
        if file.name != Path(__file__).name:
            taken_out |= set(re.findall(r'"([a-z0-9_]+)"', file.read_text(encoding="utf-8")))
    assert {each.name for each in patches()} - taken_out == set()


def test_the_readme_has_a_row_for_every_patch_and_for_nothing_else() -> None:
    readme = Path(backend.saleor_port.__file__).with_name("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", readme, re.MULTILINE)
    assert sorted(rows) == sorted(each.name for each in patches())


def test_without_puts_everything_back_as_it_stood() -> None:
    from saleor.checkout import utils
    from saleor.graphql.checkout.mutations import CheckoutComplete

    def state() -> list[Any]:
        return [utils.allocate_stock.__module__, CheckoutComplete.perform_mutation.__func__.__module__]

    before = state()
    with without("oversell", "sound_checkout"):
        assert state() == ["saleor.warehouse.management", "saleor.graphql.checkout.mutations"]
    assert state() == before


def test_one_of_two_patches_of_the_same_method_can_be_taken_out_alone() -> None:
    from saleor.graphql.payment.mutations import CheckoutPaymentCreate

    def name() -> str:
        return str(CheckoutPaymentCreate.perform_mutation.__func__.__qualname__)

    assert name().startswith("offered_gateways")
    with without("offered_gateways"):
        assert name().startswith("stale_payment")
    with without("stale_payment"):
        assert name().startswith("offered_gateways")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(LookupError, match="No patch is called oversold"), without("oversold"):
        pass


def test_what_was_missing_is_missing_again_after_undo() -> None:
    owner = SimpleNamespace(there=1)
    modules: dict[str, Any] = {}
    patch = Patch(
        name="x",
        reason="",
        phase=Phase.AFTER,
        edits=lambda: [
            Replace(owner, "there", 2),
            Replace(owner, "new", 3),
            Replace(modules, "stand_in", sys),
        ],
    )

    patch.apply()
    assert (vars(owner), modules) == ({"there": 2, "new": 3}, {"stand_in": sys})

    patch.undo()
    assert (vars(owner), modules) == ({"there": 1}, {})


def test_no_module_of_saleor_still_holds_a_function_that_was_replaced() -> None:
    from backend.saleor_port import warehouse

    names = {
        "allocate_stock",
        "deallocate_stock",
        "deallocate_stock_for_order",
        "increase_stock",
        "decrease_stock",
    }
    stale = [
        (module_name, name)
        for module_name, module in sys.modules.items()
        if module_name.startswith("saleor.")
        for name in names
        if name in vars(module) and vars(module)[name] is not getattr(warehouse, name)
    ]
    assert stale == []
