"""Telephone numbers as the index compares them: ``+352 621 123 456``, ``00352621123456`` and ``621-123456`` are one."""

import re

from pix.folding import digits

COUNTRY_CODE = re.compile(r"(?:1|7|20|27|3[0-4]|36|39|4[01]|4[3-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})")
"""What follows ``+``: one digit, two, or three (ITU-T E.164, Annex: assigned country codes)."""
NATIONAL = 10
"""Most digits of a number in its own country, the zero before it not counted."""
TRUNK = re.compile(r"\(0+\)")
"""The zero that is dialled inside the country alone: ``+49 (0)651``."""


def national_number(text: str) -> str:
    """The digits without the country code and the zero before an area code; empty if there are none.

    A country code follows ``+`` or ``00``, or begins a number too long to be one of a country alone. Numbers that
    differ in it alone are compared as equal: one more person listed is less harm than one who is not found because
    somebody left it out.
    """
    number = digits(TRUNK.sub("", text))
    international = text.lstrip(" (").startswith("+") or (len(number) > NATIONAL and number[0] != "0")
    if not international and number.startswith("00"):
        international, number = True, number[2:]
    code = COUNTRY_CODE.match(number) if international else None
    return number[code.end() if code else 0 :].lstrip("0") or number
