"""Names as Luxembourg's communities have them (``names.toml``), and the composed ones that make up the long tail."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from affinity.population.chance import Weighted, pick, skewed

FILE = Path(__file__).with_name("names.toml")
LISTED, COMPOSED = 0.6, 0.96
"""Of all family names: so many are in the list, so many more are composed; the rest are double names."""
SEVERAL_SURNAMES = "portuguese"
COMPOUND_GIVEN = 0.06


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Community:
    """People whose names come from one country."""

    name: str
    family: Weighted[str]
    given: Mapping[str, Weighted[str]]
    similar: Mapping[str, Mapping[str, tuple[str, ...]]]
    stems: tuple[str, ...]
    endings: tuple[str, ...]

    @property
    def has_several_surnames(self) -> bool:
        """Claim that a child has surnames of its mother, then of its father."""
        return self.name == SEVERAL_SURNAMES

    def family_name(self, chance: Random) -> str:
        """A family name as it stands in a register of births."""
        if self.has_several_surnames and chance.random() < 0.8:
            return f"{self._one_family(chance)} {self._one_family(chance)}"
        return self._one_family(chance)

    def childs_family(self, mother: str, father: str, chance: Random) -> str:
        """What a child of these two is called."""
        if self.has_several_surnames:
            return f"{last_surname(mother)} {last_surname(father)}"
        return f"{father}-{mother}" if chance.random() < 0.05 and "-" not in father + mother else father

    def given_name(self, sex: str, chance: Random) -> str:
        """A given name, sometimes a compound one."""
        name = self.given[sex].pick(chance)
        if chance.random() < COMPOUND_GIVEN and "-" not in name:
            return f"{name}-{self.given[sex].pick(chance)}"
        return name

    def similar_given(self, given: str, sex: str, chance: Random) -> str:
        """Another given name that begins as this one does, as parents of twins like it; any other if there is none."""
        alike = [each for each in self.similar[sex].get(given[:2], ()) if each != given]
        while not alike or alike == [given]:
            alike = [self.given_name(sex, chance)]
        return pick(chance, alike)

    def _one_family(self, chance: Random) -> str:
        drawn = chance.random()
        if drawn < LISTED:
            return self.family.pick(chance)
        if drawn < COMPOSED or self.has_several_surnames:
            return self._composed(chance)
        return f"{self.family.pick(chance)}-{self.family.pick(chance)}"

    def _composed(self, chance: Random) -> str:
        middle = pick(chance, self.stems).lower() if chance.random() < 0.4 else ""
        return pick(chance, self.stems) + middle + pick(chance, self.endings)


def last_surname(family: str) -> str:
    """``Ferreira da Silva``: ``da Silva``. The particle belongs to what follows it."""
    words = family.split(" ")
    particle = len(words) > 1 and words[-2].islower()
    return " ".join(words[-2:] if particle else words[-1:])


@cache
def communities() -> Weighted[Community]:
    """Every community, as frequent as it is."""
    tables = {name: table for name, table in _file().items() if name != "short_forms"}
    shares = [float(table["share"]) for table in tables.values()]
    return Weighted([_community(name, table) for name, table in tables.items()], shares)


@cache
def short_forms() -> Mapping[str, str]:
    """What people are called for short."""
    return dict(_file()["short_forms"])


def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _community(name: str, table: Mapping[str, Any]) -> Community:
    given = {"F": tuple(table["female"]), "M": tuple(table["male"])}
    return Community(
        name=name,
        family=skewed(tuple(table["family"])),
        given={sex: skewed(names) for sex, names in given.items()},
        similar={sex: _by_beginning(names) for sex, names in given.items()},
        stems=tuple(table["stems"]),
        endings=tuple(table["endings"]),
    )


def _by_beginning(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        found[name[:2]] = (*found.get(name[:2], ()), name)
    return found
