"""Telephone numbers as the index compares them: ``+352 621 123 456``, ``00352621123456`` and ``621-123456`` are one."""

import re
from functools import lru_cache

from pix.folding import digits
from pix.model import Telecom

COUNTRY_CODE = re.compile(r"(?:1|7|20|27|3[0-4]|36|39|4[01]|4[3-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})")
"""What follows ``+``: one digit, two, or three (ITU-T E.164, Annex: assigned country codes)."""
NATIONAL = 10
"""Most digits of a number in its own country, the zero before it not counted."""
HOME = re.compile(r"352\d{6,}")
"""Luxembourg's own code before a number of at least six digits: there it is often written without ``+`` or ``00``."""
TRUNK = re.compile(r"\(0+\)")
"""The zero that is dialled inside the country alone: ``+49 (0)651``."""


@lru_cache(maxsize=8192)
def national_number(text: str) -> str:
    """The digits without the country code and the zero before an area code; empty if there are none.

    A country code follows ``+`` or ``00``, or begins a number too long to be one of a country alone. Numbers that
    differ in it alone are compared as equal: one more person listed is less harm than one who is not found because
    somebody left it out.
    """
    number = digits(TRUNK.sub("", text))
    international = text.lstrip(" (").startswith("+") or _begins_with_a_country_code(number)
    if not international and number.startswith("00"):
        international, number = True, number[2:]
    code = COUNTRY_CODE.match(number) if international else None
    return number[code.end() if code else 0 :].lstrip("0") or number


def number_of(telecom: Telecom) -> str:
    """The national number, however it was written: as one text (XTN.1, XTN.12) or in parts (XTN.5 to XTN.7)."""
    country = f"+{telecom.country_code.lstrip('+0')}" if telecom.country_code.strip("+0") else ""
    texts = (telecom.number, telecom.text, country + telecom.area_code + telecom.local_number)
    return next(filter(None, map(national_number, texts)), "")


def _begins_with_a_country_code(number: str) -> bool:
    if number.startswith("0"):
        return False
    return len(number) > NATIONAL or HOME.fullmatch(number) is not None
