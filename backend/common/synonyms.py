"""Dialect and market names: what a buyer asks for, and a bookkeeper writes, in place of the name this shop uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("synonyms.txt")
_RELATED = "≈"


@dataclass(frozen=True)
class Group:
    """Names for one thing. preferred: the one this shop uses; same: all of them, preferred included; related: names
    of something close to it, which a search ranks lower and a bookkeeper is never taken at."""

    preferred: str
    same: frozenset[str]
    related: frozenset[str]


@cache
def load_groups() -> tuple[Group, ...]:
    """The groups of synonyms.txt, in its order."""
    groups = []
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        words = [word.strip() for word in line.split("/")]
        if line.startswith("#") or not words[0]:
            continue
        groups.append(
            Group(
                preferred=words[0],
                same=frozenset(word for word in words if not word.endswith(_RELATED)),
                related=frozenset(word.removesuffix(_RELATED) for word in words if word.endswith(_RELATED)),
            )
        )
    return tuple(groups)


@cache
def load_synonyms() -> tuple[frozenset[str], ...]:
    """For each thing that goes by several names, the set of them; related things are not among them."""
    return tuple(group.same for group in load_groups())


@cache
def same_names() -> Mapping[str, frozenset[str]]:
    """Each name -> all names of its group, itself included; of every group where a name is in several."""
    found: dict[str, frozenset[str]] = {}
    for same in load_synonyms():
        for name in same:
            found[name] = found.get(name, frozenset()) | same
    return found
