"""Addresses and telephone numbers as matching compares them: what a household shares."""

import re
from functools import lru_cache
from typing import NamedTuple

from pix.folding import digits, fold
from pix.matching.scripts import latin
from pix.matching.vocabulary import vocabulary
from pix.model import Address, Telecom
from pix.telephones import number_of

STREET_TYPES = vocabulary("streets")
LETTERED = re.compile(r"([^\W\d_]+)strasse$|([^\W\d_]+)str$")
MOST = 8
"""Addresses and numbers of one record that are looked at."""
LEAST = 6
"""Fewest digits of a telephone number that says something."""


class Place(NamedTuple):
    """One address: postal code and house number as written, street and city folded; empty where nothing is known."""

    postal_code: str
    city: str
    street: str
    number: str


@lru_cache(maxsize=8192)
def place(address: Address) -> Place | None:
    """The comparable part of an address, or None if there is none."""
    line = f"{address.street_name} {address.house_number}" if address.street_name else address.street
    found = [_street_word(each) for each in fold(latin(line or address.other_designation)).split()]
    numbers = [each for each in found if each[0].isdecimal()]
    names = [each for each in found if not each[0].isdecimal()]
    street = "".join(each for each in names if each not in STREET_TYPES) or "".join(names)
    made = Place(_postal_code(address.postal_code), fold(latin(address.city)), street, numbers[0] if numbers else "")
    return made if any(made) else None


@lru_cache(maxsize=8192)
def phone(telecom: Telecom) -> str:
    """The national number; empty for too few digits, or one digit over and over."""
    found = number_of(telecom)
    return found if len(found) >= LEAST and len(set(found)) > 1 else ""


def email(telecom: Telecom) -> str:
    """The e-mail address, without case; empty if there is none."""
    return telecom.email.strip().casefold()


def _postal_code(text: str) -> str:
    found = fold(text)
    numeric = digits(found)
    return numeric if len(numeric) >= 4 else found.replace(" ", "")


def _street_word(word: str) -> str:
    found = LETTERED.match(word)
    return (found[1] or found[2]) if found else word
