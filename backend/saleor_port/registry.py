"""The list of patches: each has a name and a reason, is applied once, and can be taken out in a test.

A patch is a function that yields `Replace`s; it is called when its phase comes: BEFORE any module of Saleor
is loaded (from the settings module), or AFTER all of them are (from SaleorPortConfig.ready).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Phase(Enum):
    BEFORE = "before Saleor is imported"
    AFTER = "after Saleor is imported"


_MISSING = object()


@dataclass(frozen=True)
class Replace:
    """Put value at owner.attribute (owner: a module, a class, or a dict such as sys.modules)."""

    owner: Any
    attribute: str
    value: Any


def everywhere(function: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[Replace]:
    """Replace a function of Saleor in its own module and in every module that imported it by name."""
    for name, module in list(sys.modules.items()):
        if name.startswith("saleor.") and vars(module).get(function.__name__) is function:
            yield Replace(module, function.__name__, replacement)


@dataclass
class Patch:
    """One patch. reason: which release of what broke it, or which upstream commit mended it."""

    name: str
    reason: str
    phase: Phase
    edits: Callable[[], Iterable[Replace]]
    replaced: list[Replace] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        return bool(self.replaced)

    def apply(self) -> None:
        for edit in self.edits():
            self.replaced.append(Replace(edit.owner, edit.attribute, _read(edit.owner, edit.attribute)))
            _write(edit.owner, edit.attribute, edit.value)

    def undo(self) -> None:
        while self.replaced:
            edit = self.replaced.pop()
            _write(edit.owner, edit.attribute, edit.value)


_patches: dict[str, Patch] = {}


def patch(
    *, name: str, reason: str, phase: Phase = Phase.AFTER
) -> Callable[[Callable[[], Iterable[Replace]]], Patch]:
    """Register the function below as a patch."""

    def register(edits: Callable[[], Iterable[Replace]]) -> Patch:
        if name in _patches:
            raise ValueError(f"Two patches are called {name!r}")
        _patches[name] = Patch(name=name, reason=reason, phase=phase, edits=edits)
        return _patches[name]

    return register


def patches() -> tuple[Patch, ...]:
    """All patches, in the order in which they are applied."""
    return tuple(_patches.values())


def apply_all(phase: Phase) -> None:
    """Apply every patch of that phase which is not on yet: calling it twice changes nothing."""
    for each in _patches.values():
        if each.phase is phase and not each.is_on:
            each.apply()


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Take these patches out for a while, so that a test can show what Saleor does on its own."""
    unknown = [name for name in names if name not in _patches]
    if unknown:
        raise LookupError(f"No patch is called {', '.join(unknown)}; there are: {', '.join(_patches)}")
    # Two patches may wrap the same function, so all that came after the first one are taken down and put up
    # again without it.
    applied = [each for each in _patches.values() if each.is_on]
    first = min(
        (applied.index(_patches[name]) for name in names if _patches[name].is_on), default=len(applied)
    )
    touched = applied[first:]
    _put_up(touched, leaving_out=names)
    try:
        yield
    finally:
        _put_up(touched, leaving_out=())


def _put_up(patches: Iterable[Patch], *, leaving_out: Collection[str]) -> None:
    patches = list(patches)
    for each in reversed(patches):
        each.undo()
    for each in patches:
        if each.name not in leaving_out:
            each.apply()


def _read(owner: Any, attribute: str) -> Any:
    if isinstance(owner, dict):
        return owner.get(attribute, _MISSING)
    # vars(), not getattr: a classmethod must be put back as it stood, and an inherited one must vanish again.
    return vars(owner).get(attribute, _MISSING)


def _write(owner: Any, attribute: str, value: Any) -> None:
    if isinstance(owner, dict):
        if value is _MISSING:
            owner.pop(attribute, None)
        else:
            owner[attribute] = value
    elif value is _MISSING:
        delattr(owner, attribute)
    else:
        setattr(owner, attribute, value)
