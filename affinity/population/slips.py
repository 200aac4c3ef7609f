"""What goes wrong when somebody writes down who a patient is."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from affinity.population.chance import Weighted, between, pick
from affinity.population.names import last_surname, short_forms
from affinity.population.tags import Tag
from pix.model import Address, Telecom

NEIGHBOURS = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gju", "i": "uok",
    "j": "hki", "k": "jlo", "l": "kmo", "m": "nlk", "n": "bmh", "o": "ipl", "p": "ol", "q": "aw", "r": "etf",
    "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tux", "z": "xas",
}  # fmt: skip
"""Keys beside one another on the Swiss-French keyboards of Luxembourg, roughly."""
SPELLINGS = "ck:k ph:f th:t tz:z ei:ai ie:i ss:s nn:n ll:l mm:m y:i v:w ç:s sch:ch dt:t z:s"
ALIKE = tuple(each.split(":") for each in SPELLINGS.split(" "))
"""What sounds alike is written one way or the other."""
WITHOUT_ACCENT = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i"})


@dataclass(slots=True, kw_only=True)
class Draft:
    """A record while it is being written; what is not known is ``""``. Slips change it, and say so in ``tags``."""

    family: str
    given: str
    further_given: str
    maiden: str
    birth: str
    sex: str
    matricule: str
    addresses: tuple[Address, ...]
    landline: Telecom | None
    mobile: Telecom | None
    tags: set[Tag] = field(default_factory=set)


Slip = Callable[[Draft, Random], object]
"""Changes the draft."""


@lru_cache(maxsize=16384)
def without_accents(text: str) -> str:
    """The letters alone: ``Müller`` becomes ``Muller``."""
    bare = unicodedata.normalize("NFD", text.translate(WITHOUT_ACCENT))
    return "".join(each for each in bare if not unicodedata.combining(each))


def mistyped(text: str, chance: Random) -> str:
    """One slip of the fingers, or of the ear, after the first letter; a text of two letters stays."""
    if len(text) < 3:
        return text
    at, drawn = between(chance, 1, len(text) - 2), chance.random()
    if drawn < 0.3:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if drawn < 0.5:
        return text[:at] + text[at + 1 :]
    if drawn < 0.65:
        return text[:at] + text[at] + text[at:]
    if drawn < 0.85:
        return text[:at] + pick(chance, NEIGHBOURS.get(text[at].lower(), "e")) + text[at + 1 :]
    return _misheard(text, chance)


def _misheard(text: str, chance: Random) -> str:
    found = [two for two in ALIKE if two[0] in text]
    old, new = pick(chance, found) if found else ("e", "a")
    return text.replace(old, new, 1)


def mistype_family(draft: Draft, chance: Random) -> None:
    """A wrong letter in the family name."""
    draft.family = mistyped(draft.family, chance)


def mistype_given(draft: Draft, chance: Random) -> None:
    """A wrong letter in the given name."""
    draft.given = mistyped(draft.given, chance)


def mistype_street(draft: Draft, chance: Random) -> None:
    """A wrong letter in the street of the first address."""
    if draft.addresses:
        first = draft.addresses[0]
        wrong = Address(
            street=mistyped(first.street, chance),
            city=first.city,
            postal_code=first.postal_code,
            country=first.country,
            type_code=first.type_code,
        )
        draft.addresses = (wrong, *draft.addresses[1:])


def swap_names(draft: Draft, _chance: Random) -> None:
    """The given name where the family name belongs."""
    draft.family, draft.given = draft.given, draft.family


def swap_day_and_month(draft: Draft, _chance: Random) -> None:
    """The twelfth of May for the fifth of December; only where that is a date."""
    if draft.birth and int(draft.birth[6:]) <= 12:
        draft.birth = draft.birth[:4] + draft.birth[6:] + draft.birth[4:6]


def mistype_birth_date(draft: Draft, chance: Random) -> None:
    """Another day of the month, another year, or the first of January, where the day was not known."""
    if not draft.birth:
        return
    drawn = chance.random()
    if drawn < 0.4:
        draft.birth = f"{draft.birth[:6]}{between(chance, 1, 28):02d}"
    elif drawn < 0.8:
        draft.birth = f"{int(draft.birth[:4]) - pick(chance, (1, 2, 10))}{draft.birth[4:6]}{min(draft.birth[6:], '28')}"
    else:
        draft.birth = f"{draft.birth[:4]}0101"


def mistype_matricule(draft: Draft, chance: Random) -> None:
    """Two neighbouring digits exchanged, or one digit wrong: the check digits tell."""
    if len(draft.matricule) < 13:
        return
    at = between(chance, 0, 11)
    if chance.random() < 0.5:
        draft.matricule = (
            draft.matricule[:at] + draft.matricule[at + 1] + draft.matricule[at] + draft.matricule[at + 2 :]
        )
    else:
        draft.matricule = draft.matricule[:at] + str(between(chance, 0, 9)) + draft.matricule[at + 1 :]


def mistake_sex(draft: Draft, _chance: Random) -> None:
    """F for M, M for F."""
    draft.sex = "M" if draft.sex == "F" else "F"


def shorten_given(draft: Draft, _chance: Random) -> None:
    """What people call them."""
    draft.given = short_forms().get(draft.given, draft.given.partition("-")[0])


def shorten_family(draft: Draft, _chance: Random) -> None:
    """The last of several surnames."""
    draft.family = last_surname(draft.family)


def lose_accents(draft: Draft, _chance: Random) -> None:
    """A keyboard, or a program, without them."""
    draft.family, draft.given = without_accents(draft.family), without_accents(draft.given)


def forget_birth_date(draft: Draft, _chance: Random) -> None:
    """Nobody asked."""
    draft.birth = ""


SLIPS: tuple[tuple[Tag, float, Slip], ...] = (
    (Tag.TYPO_FAMILY, 22, mistype_family),
    (Tag.TYPO_GIVEN, 16, mistype_given),
    (Tag.TYPO_STREET, 8, mistype_street),
    (Tag.SWAPPED_NAMES, 4, swap_names),
    (Tag.DAY_MONTH_SWAPPED, 8, swap_day_and_month),
    (Tag.BIRTH_DATE_WRONG, 8, mistype_birth_date),
    (Tag.MATRICULE_WRONG, 10, mistype_matricule),
    (Tag.SEX_WRONG, 3, mistake_sex),
    (Tag.SHORT_FORM, 10, shorten_given),
    (Tag.SHORTENED_FAMILY, 8, shorten_family),
    (Tag.ACCENTS_LOST, 12, lose_accents),
    (Tag.NO_BIRTH_DATE, 1, forget_birth_date),
)
"""What may go wrong, and of a hundred slips how many are of this kind."""
KINDS = Weighted([(tag, slip) for tag, _, slip in SLIPS], [weight for _, weight, _ in SLIPS])


def slip(draft: Draft, chance: Random) -> None:
    """Let something go wrong. The tag is set only if it shows: a name without accents cannot lose any."""
    tag, happen = KINDS.pick(chance)
    before = _content(draft)
    happen(draft, chance)
    if _content(draft) != before:
        draft.tags.add(tag)


def _content(draft: Draft) -> tuple[object, ...]:
    return (draft.family, draft.given, draft.birth, draft.sex, draft.matricule, draft.addresses)
