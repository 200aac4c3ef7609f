"""Weights, caps and thresholds of matching, from a versioned file (``default.toml``)."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pix.folding import fold
from pix.matching.dates import Birth
from pix.matching.likeness import Level

SAME, DIFFERENT = Level.SAME.value, Level.DIFFERENT.value
LEVELS: Mapping[str, tuple[str, ...]] = {
    "family": ("same", "part", "overlap", "sound", "slip", "swapped", "different"),
    "given": tuple(each.value for each in Level if each is not Level.OVERLAP),
    "birth": tuple(each.value for each in Birth),
    "sex": ("same", "different"),
    "national": ("same", "different"),
    "identifier": ("same", "slip", "different"),
    "phone": ("same", "different"),
    "email": ("same", "different"),
    "postal_code": ("same", "slip", "different"),
    "city": ("same", "slip", "different"),
    "street": ("same", "without-number", "slip", "different"),
    "mother": ("same", "slip", "different"),
    "birth_place": ("same", "slip", "different"),
}
"""Every field that is compared and the levels that it knows, best first."""
COUNTED = ("family", "given", "city")
"""Fields whose words have frequencies of their own: to share ``Silva`` says less than to share ``Oberweis``."""


class Evidence(NamedTuple):
    """One field of two records: how it agrees, and what that weighs in bits."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How often a level is seen among records of one person (``m``) and of two (``u``)."""

    m: float
    u: float

    @property
    def bits(self) -> float:
        """The weight of evidence: log2(m / u)."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Limits of evidence that is not independent, in bits.

    ``household``: most that telephone, e-mail, postal code, city and street say together, ``household_least`` least;
    ``kinship``: most that everything but identifiers says where given name or birth date contradict; ``name``: most
    that one name says, however rare it is.
    """

    household: float
    household_least: float
    kinship: float
    name: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Configuration:
    """One version of the weights. ``link``, ``review``, ``margin`` and ``corroboration`` are bits.

    ``margin`` is by how much the best candidate must lead before the next one that is another person. ``evidence`` is
    what each level of each field weighs, ``rarities`` by how many bits a word is rarer than one that is not listed.
    """

    version: str
    link: float
    review: float
    margin: float
    corroboration: float
    caps: Caps
    levels: Mapping[str, Mapping[str, Chances]]
    frequencies: Mapping[str, Mapping[str, float]]
    evidence: Mapping[tuple[str, str], Evidence]
    rarities: Mapping[str, Mapping[str, float]]


def load(path: Path) -> Configuration:
    """Read a configuration; ValueError names the key and the rule that it breaks."""
    return parse(path.read_text(encoding="utf-8"), str(path))


@lru_cache(maxsize=1)
def default() -> Configuration:
    """The configuration that is shipped."""
    return parse(files("pix.matching").joinpath("default.toml").read_text(encoding="utf-8"), "default.toml")


def parse(text: str, name: str) -> Configuration:
    """Read the text of a configuration file called ``name``."""
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from error
    broken = [f"{name}: {each}" for each in tuple(_no_tables(read)) or _broken(read)]
    if broken:
        raise ValueError("\n".join(broken))
    return _built(read)


def build(
    *,
    version: str,
    thresholds: Mapping[str, float],
    caps: Caps,
    levels: Mapping[str, Mapping[str, Chances]],
    frequencies: Mapping[str, Mapping[str, float]],
) -> Configuration:
    """Compute what follows from the parts; the parts are taken to be right."""
    unlisted = {field: levels[field][SAME].u for field in COUNTED}
    rarities = {
        field: MappingProxyType({word: math.log2(unlisted[field] / share) for word, share in shares.items()})
        for field, shares in frequencies.items()
    }
    return Configuration(
        version=version,
        caps=caps,
        levels=MappingProxyType(levels),
        frequencies=MappingProxyType(frequencies),
        evidence=MappingProxyType(
            {(field, level): Evidence(field, level, each.bits) for field, level, each in _flat(levels)}
        ),
        rarities=MappingProxyType({field: rarities.get(field, {}) for field in COUNTED}),
        **thresholds,
    )


def _flat(levels: Mapping[str, Mapping[str, Chances]]) -> Iterator[tuple[str, str, Chances]]:
    return ((field, level, each) for field in levels for level, each in levels[field].items())


THRESHOLDS = ("link", "review", "margin", "corroboration")
CAPS = ("household", "household_least", "kinship", "name")
TABLES = {"caps", "levels", "frequencies"}


def _built(read: Mapping[str, Any]) -> Configuration:
    levels = {field: _chances(read["levels"][field]) for field in LEVELS}
    shares = read.get("frequencies", {})
    return build(
        version=read["version"],
        thresholds={each: float(read[each]) for each in THRESHOLDS},
        caps=Caps(**{each: float(read["caps"][each]) for each in CAPS}),
        levels=levels,
        frequencies={field: MappingProxyType(_folded(shares.get(field, {}))) for field in COUNTED},
    )


def _folded(shares: Mapping[str, float]) -> dict[str, float]:
    return {fold(word): float(share) for word, share in shares.items()}


def _chances(levels: Mapping[str, Any]) -> Mapping[str, Chances]:
    return MappingProxyType({level: Chances(m=each["m"], u=each["u"]) for level, each in levels.items()})


def _no_tables(read: Mapping[str, Any]) -> Iterator[str]:
    """The keys that hold something else where a table is wanted; what would be in it is not looked at."""
    for key in sorted(TABLES & read.keys()):
        if not isinstance(read[key], dict):
            yield f"{key} must be a table"
        elif key != "caps":
            yield from (f"{key}.{each} must be a table" for each in read[key] if not isinstance(read[key][each], dict))


def _broken(read: Mapping[str, Any]) -> Iterator[str]:
    """Every breach, with the key that it concerns."""
    if not isinstance(read.get("version"), str) or not read.get("version"):
        yield "version must be a text, and not empty"
    yield from (f"{each} is no key of this file" for each in read if each not in {"version", *THRESHOLDS, *TABLES})
    yield from _broken_numbers("", read, THRESHOLDS)
    caps = read.get("caps", {})
    yield from _broken_numbers("caps.", caps, CAPS)
    yield from (f"caps.{each} is no key of this file" for each in caps if each not in CAPS)
    yield from _broken_levels(read.get("levels", {}))
    yield from _broken_frequencies(read.get("frequencies", {}))
    yield from _broken_order(read, caps)


def _broken_numbers(prefix: str, read: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        if not _is_number(read.get(key)):
            yield f"{prefix}{key} must be a number of bits"


def _broken_levels(read: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"levels.{each} is no field; fields are {', '.join(LEVELS)}" for each in read if each not in LEVELS)
    for field, known in LEVELS.items():
        given = read.get(field, {})
        unknown = [each for each in given if each not in known]
        yield from (f"levels.{field}.{each} is no level; levels are {', '.join(known)}" for each in unknown)
        for level in known:
            yield from _broken_chances(f"levels.{field}.{level}", level, given.get(level))


def _broken_chances(key: str, level: str, chances: Any) -> Iterator[str]:
    if not isinstance(chances, dict) or set(chances) != {"m", "u"} or not all(map(_is_chance, chances.values())):
        yield f"{key} must be {{ m = ..., u = ... }}, both above 0 and at most 1"
    elif level == SAME and chances["m"] < chances["u"]:
        yield f"{key}: m must be at least u, for agreement must not count against"
    elif level == DIFFERENT and chances["m"] > chances["u"]:
        yield f"{key}: m must be at most u, for disagreement must not count in favour"


def _broken_frequencies(read: Mapping[str, Any]) -> Iterator[str]:
    for field, shares in read.items():
        if field not in COUNTED:
            yield f"frequencies.{field} is no field with frequencies; these are {', '.join(COUNTED)}"
            continue
        for word, share in shares.items():
            if not _is_chance(share):
                yield f"frequencies.{field}.{word} must be a share above 0 and at most 1"


def _broken_order(read: Mapping[str, Any], caps: Mapping[str, Any]) -> Iterator[str]:
    numbers = [read.get(each) for each in THRESHOLDS] + [caps.get(each) for each in CAPS]
    if not all(map(_is_number, numbers)):
        return
    if read["review"] > read["link"]:
        yield "review must be at most link"
    if read["margin"] < 0 or read["corroboration"] < 0:
        yield "margin and corroboration must not be negative"
    if caps["household"] < 0 or caps["household_least"] > 0:
        yield "caps.household must not be negative, caps.household_least not positive"
    if caps["kinship"] >= read["review"]:
        yield "caps.kinship must be below review, or every family makes a task"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_chance(value: Any) -> bool:
    return _is_number(value) and 0 < value <= 1
