"""Addresses and telephone numbers (``places.toml``). In Luxembourg a postal code is that of one street."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from affinity.population.chance import Weighted, between, pick, skewed
from pix.model import Address, Telecom

FILE = Path(__file__).with_name("places.toml")
HOME, ABROAD = "LU", ("FR", "FR", "DE", "BE")
"""Half of those who cross the border come from France."""
ISO_3166 = {"LU": "LUX", "FR": "FRA", "DE": "DEU", "BE": "BEL"}
"""Countries as HL7 table 0399 has them."""
DIALLED = {"LU": "+352", "FR": "+33", "DE": "+49", "BE": "+32"}
NUMBERS = ("", "", "", "", "", "", "", "A", "B")
Town = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Country:
    """Towns with the first and the last of their postal codes, and streets."""

    code: str
    towns: Weighted[Town]
    streets: tuple[str, ...]

    def address(self, chance: Random) -> Address:
        """Somewhere to live."""
        town, first, last = self.towns.pick(chance)
        postal_code = between(chance, first, last)
        street = self.streets[postal_code % len(self.streets)] if last - first > 20 else pick(chance, self.streets)
        number = f"{between(chance, 1, 180)}{pick(chance, NUMBERS)}"
        return Address(
            street=f"{street} {number}" if self.code == "DE" else f"{number}, {street}",
            city=town,
            postal_code=f"{postal_code:04d}",
            country=ISO_3166[self.code],
            type_code="H",
        )


@cache
def countries() -> Mapping[str, Country]:
    """Every country, by its two letters."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        code: Country(
            code=code,
            towns=skewed([(town, first, last) for town, first, last in table["towns"]]),
            streets=tuple(table["streets"]),
        )
        for code, table in tables.items()
    }


def landline(chance: Random, country: str) -> Telecom:
    """The telephone of a household."""
    number = f"{DIALLED[country]} {between(chance, 22, 99)} {between(chance, 10, 99)} {between(chance, 1000, 9999)}"
    return Telecom(number=number, use="PRN", equipment="PH")


def mobile(chance: Random) -> Telecom:
    """The telephone of one person."""
    prefix = pick(chance, ("621", "661", "691"))
    return Telecom(number=f"+352 {prefix} {between(chance, 100000, 999999)}", use="PRN", equipment="CP")
