"""Names and texts as the index compares them: no case, no accents, no punctuation (ITI TF-2: 3.21.4.1.3.2)."""

import re
import unicodedata
from functools import lru_cache

LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe"})
UMLAUTS = re.compile("(?<=[aou])e+")
JOINTS = re.compile(r"(?:[^\w*]|_)+")


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Fold to lower-case words: ``Müller-Weiß`` and ``MUELLER WEISS`` become ``muller weiss``. ``*`` stays."""
    if text.isascii():
        return UMLAUTS.sub("", JOINTS.sub(" ", text.lower())).strip()
    # Compatibility forms hide capitals from casefold, and casefold makes new sequences: hence twice.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    # Written out umlauts are folded on both sides of a comparison, so that Mueller finds Müller.
    return UMLAUTS.sub("", JOINTS.sub(" ", bare.translate(LETTERS))).strip()


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    return tuple(fold(text).split())


@lru_cache(maxsize=16384)
def name_words(text: str) -> frozenset[str]:
    """What finds a name: its words, and all of them joined (``van der Berg`` is found as ``vanderberg``)."""
    found = words(text)
    return frozenset((*found, "".join(found))) if found else frozenset()


def digits(text: str) -> str:
    """The digits of a telephone number."""
    return "".join(filter(str.isdecimal, text))
