"""A stand-in for sympy, which the `measurement` library imports to convert temperatures.

Saleor measures weights only. Sympy is a fifth of a web process's memory (42 MB) and nearly half of the time that
it takes to start. Weights, lengths and volumes convert by plain numbers; converting a temperature is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from backend.saleor_port.registry import Phase, Replace, patch
from backend.saleor_port.vendor_stand_ins import refuse, stand_in_module


class Expression:
    """What `measurement.measures.temperature` builds its units of when it is imported."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __add__(self, other: object) -> Expression:
        return self

    __sub__ = __mul__ = __add__

    def evalf(self, **options: Any) -> NoReturn:
        refuse()


@patch(
    name="symbolic_algebra",
    reason="measurement 3 imports sympy for temperatures: 42 MB and a second in every process, for weights",
    phase=Phase.BEFORE,
)
def symbolic_algebra() -> Iterator[Replace]:
    solvers = stand_in_module("sympy.solvers", solve_linear=refuse)
    sympy = stand_in_module("sympy", Expr=Expression, S=Expression, Symbol=Expression, solvers=solvers)
    for module in (sympy, solvers):
        yield Replace(sys.modules, module.__name__, module)
