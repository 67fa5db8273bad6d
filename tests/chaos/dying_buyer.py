"""Completes checkouts in processes that are killed on the way, by SIGKILL, at the line that is asked for.

Reads lines of JSON, {"checkout": its token, "dies": one of DEATHS}; answers each with the signal that ended the
child, 0 when none did.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock
from uuid import UUID


def die(*_args: Any, **_options: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        function(*args, **options)
        die()

    return run


def deaths() -> dict[str, Callable[[], None]]:
    """When the child dies -> what makes it do so."""
    import saleor.payment.gateway
    from saleor.plugins.manager import PluginsManager

    from backend.ordering import attempts, completion
    from tests.chaos.bank_plugin import BankPlugin

    def replace(owner: Any, name: str, value: Any) -> None:
        mock.patch.object(owner, name, value).start()

    def a_hook_fails() -> None:
        replace(PluginsManager, "order_created", mock.Mock(side_effect=RuntimeError("a hook failed")))

    def as_the_money_goes_back() -> None:
        a_hook_fails()
        replace(BankPlugin, "refund_payment", die)

    def once_the_money_went_back() -> None:
        a_hook_fails()
        replace(BankPlugin, "refund_payment", then_die(BankPlugin.refund_payment))

    return {
        "never": lambda: None,
        "before the gateway is asked": lambda: replace(BankPlugin, "process_payment", die),
        "once the gateway has taken the money": lambda: replace(
            BankPlugin, "process_payment", then_die(BankPlugin.process_payment)
        ),
        "between the halves of the record": lambda: replace(
            saleor.payment.gateway, "gateway_postprocess", die
        ),
        "once the answer is on record": lambda: replace(completion, "make_order", die),
        "before the order is committed": lambda: replace(attempts, "announce", then_die(attempts.announce)),
        "once the order is committed": lambda: replace(
            completion, "make_order", then_die(attempts.make_order)
        ),
        "as the money goes back": as_the_money_goes_back,
        "once the money went back": once_the_money_went_back,
    }


def complete(*, checkout: str, dies: str) -> None:
    from django.utils import timezone

    from backend.ordering.completion import CheckoutRequest, complete_checkout

    deaths()[dies]()
    complete_checkout(request=CheckoutRequest(checkout_token=UUID(checkout)), user=None, now=timezone.now())


def main() -> None:
    import django
    from django.conf import settings

    warnings.simplefilter("ignore")
    django.setup()
    settings.PLUGINS = ["tests.chaos.bank_plugin.BankPlugin"]
    settings.CELERY_TASK_ALWAYS_EAGER = False
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            complete(**json.loads(line))
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
