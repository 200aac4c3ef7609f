"""Content models: elements, attributes and values of HL7 v3 messages and of CDA documents (``content/*.toml``).

The tables say in our notation what the schemas of the HL7 v3 Normative Edition 2008 (ITI TF-2: Appendix Q) and of CDA
Release 2 demand of the classes that the profiles use; a class behind an element of type ``*`` is not looked into.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from conformance.content_automaton import Automaton, automaton
from conformance.content_notation import NotAModel, parse

CONTENT = Path(__file__).resolve().parent / "content"
ROOT = "realmCode:CS* typeId:II? templateId:II*"
"""What ``@root`` stands for: the elements with which every class of a message begins (InfrastructureRoot)."""
ATTRIBUTE = re.compile(r"([A-Za-z]\w*)(\??)(=|:)(\S+)")
VALUES: Mapping[str, re.Pattern[str]] = {
    "oid": re.compile(r"[0-2](\.(0|[1-9][0-9]*))*"),
    "uid": re.compile(
        r"[0-2](\.(0|[1-9][0-9]*))*|[0-9a-zA-Z]{8}(-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}|[A-Za-z][A-Za-z0-9-]*"
    ),
    "ts": re.compile(r"[0-9]{1,8}|([0-9]{9,14}|[0-9]{14}\.[0-9]+)([+-][0-9]{1,4})?"),
    "cs": re.compile(r"\S+"),
    "st": re.compile(r".+", re.DOTALL),
    "bl": re.compile(r"true|false"),
    "boolean": re.compile(r"true|false|0|1"),
    "bin": re.compile(r"[A-Za-z0-9+/=\s]*"),
    "url": re.compile(r".*", re.DOTALL),
    "probability": re.compile(r"0(\.[0-9]*)?|1(\.0*)?|\.[0-9]+"),
    "int": re.compile(r"[+-]?[0-9]+"),
    "real": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|INF|-INF|NaN"),
    "id": re.compile(r"[^\W\d][\w.\-·]*"),
    "ids": re.compile(r"[^\W\d][\w.\-·]*(\s+[^\W\d][\w.\-·]*)*"),
    "token": re.compile(r"[\w.\-:·]+"),
    "any": re.compile(r".*", re.DOTALL),
}
"""The lexical form of each kind of value."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: whether it must be there, and either its one value or its kind, of which ``*`` makes a list."""

    name: str
    required: bool
    fixed: str | None
    kind: str

    def takes(self, value: str, codes: Mapping[str, frozenset[str]]) -> bool:
        """Claim that the attribute may have a value."""
        if self.fixed is not None:
            return value == self.fixed
        if self.kind.endswith("*"):
            return all(_is(self.kind[:-1], each, codes) for each in value.split())
        return _is(self.kind, value, codes)


def _is(kind: str, value: str, codes: Mapping[str, frozenset[str]]) -> bool:
    listed = codes.get(kind)
    if listed is not None:
        return value in listed
    text = value if kind in ("st", "any", "oid", "uid", "ts") else value.strip()
    return VALUES[kind].fullmatch(text) is not None


@dataclass(frozen=True)
class ContentType:
    """What an element of one type holds. ``base``: what it is derived from, for ``xsi:type``."""

    name: str
    base: str | None
    mixed: bool
    abstract: bool
    attributes: Mapping[str, Attribute]
    elements: str

    @cached_property
    def automaton(self) -> Automaton:
        """The order of the elements."""
        return automaton(parse(self.elements.replace("@root", ROOT)))


@dataclass(frozen=True, slots=True)
class ContentModels:
    """Types by their name, the type of each root element, and the codes of each vocabulary."""

    types: Mapping[str, ContentType]
    roots: Mapping[str, str]
    codes: Mapping[str, frozenset[str]]

    def derives(self, name: str, base: str) -> bool:
        """Claim that one type is another, or is derived from it."""
        at: str | None = name
        while at is not None and at != base:
            at = self.types[at].base
        return at == base


@cache
def content_models(name: str) -> ContentModels:
    """The models of ``content/NAME.toml`` with the data types of HL7 v3."""
    tables = [_table("datatypes"), _table(name)]
    types = {each: _type(each, row) for table in tables for each, row in table["types"].items()}
    codes = {each: frozenset(row.split()) for table in tables for each, row in table["codes"].items()}
    return ContentModels(types=types, roots=tables[1]["roots"], codes=codes)


def _table(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((CONTENT / f"{name}.toml").read_text(encoding="utf-8"))


def _type(name: str, row: str) -> ContentType:
    """Read ``[< BASE] [mixed] [abstract] {ATTRIBUTES} ELEMENTS``."""
    found = re.fullmatch(r"(?:< (\S+) )?(mixed )?(abstract )?\{([^}]*)\}\s*(.*)", " ".join(row.split()))
    if found is None:
        raise NotAModel(f"{name}: {row!r}")
    attributes = (_attribute(each) for each in found[4].split())
    return ContentType(
        name=name,
        base=found[1],
        mixed=bool(found[2]),
        abstract=bool(found[3]),
        attributes={each.name: each for each in attributes},
        elements=found[5],
    )


def _attribute(text: str) -> Attribute:
    found = ATTRIBUTE.fullmatch(text)
    if found is None:
        raise NotAModel(f"the attribute {text!r}")
    fixed = found[4] if found[3] == "=" else None
    return Attribute(found[1], required=not found[2], fixed=fixed, kind="" if fixed is not None else found[4])
