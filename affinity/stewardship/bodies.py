"""Reading what a request says: strict JSON bodies, parameters, patient ids. Whatever is doubtful raises Problem."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from affinity.client.patients import parse_identifier
from affinity.stewardship.problems import Problem, wrong
from ihe import storable_json
from ihe.domain import AffinityDomain
from pix.model import Identifier

MOST_BODY = 16 * 1024
"""Most bytes of a body."""
LONGEST_REASON = 2000
LONGEST_ID = 300
MOST_PARAMETERS = 20
MOST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Body:
    """The members of a JSON object, each asked for by its type."""

    members: Mapping[str, Any]

    def only(self, *names: str) -> None:
        """Refuse members that mean nothing here: a mistyped one would be ignored."""
        for name in self.members:
            if name not in names:
                raise wrong(f"The body has a member that is not known; known are {', '.join(names)}", name[:50])

    def text(self, name: str, most: int) -> str:
        """A text that says something."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise wrong(f"{name} must be a text of at most {most} characters, and not empty", name)
        return value.strip()

    def number(self, name: str) -> int:
        """A whole number from 1 on."""
        value = self.members.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_NUMBER:
            raise wrong(f"{name} must be a whole number above 0", name)
        return value

    def texts(self, name: str, count: int) -> tuple[str, ...]:
        """A list of so many texts."""
        value = self.members.get(name)
        if not isinstance(value, list) or len(value) != count or not all(isinstance(each, str) for each in value):
            raise wrong(f"{name} must be a list of {count} patient id{'s' if count > 1 else ''}", name)
        return tuple(value)

    @property
    def reason(self) -> str:
        """Why, in the words of the steward: nobody can judge later what nobody explained."""
        return self.text("reason", LONGEST_REASON)


def body(content_type: str, content: bytes | None) -> Body:
    """Read a body: one JSON object in UTF-8, no member twice, of bounded size. Raises Problem (400, 413, 415)."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "media-type", "The body must be application/json", where="Content-Type")
    if content is None:
        raise Problem(413, "too-large", f"The body is longer than {MOST_BODY} bytes")
    try:
        read = storable_json.loads(content, object_pairs_hook=_object, parse_constant=_constant)
    except (RecursionError, ValueError) as error:
        raise Problem(400, "syntax", f"The body is no JSON in UTF-8: {_why(error)}") from None
    if not isinstance(read, dict):
        raise Problem(400, "syntax", "The body must be a JSON object")
    return Body(read)


def parameters(query: str, *known: str) -> Mapping[str, str]:
    """Read the query of a URL; each parameter once, and without NUL. Raises Problem (400)."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Problem(400, "syntax", "The query of the URL cannot be read") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise Problem(400, "parameter", f"Known parameters are {', '.join(known) or 'none'}", where=name[:50])
        if name in found:
            raise Problem(400, "parameter", "A parameter stands twice", where=name)
        if "\0" in value:
            raise Problem(400, "parameter", "A parameter holds the character NUL", where=name)
        found[name] = value
    return found


def number(text: str, where: str) -> int:
    """A whole number from 0 on, as it stands in a URL."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Problem(400, "parameter", f"{where} must be a whole number", where=where)
    return int(text)


def identifier(text: str, domain: AffinityDomain, where: str) -> Identifier:
    """A patient id, ``id^^^&oid&ISO`` or ``id^^^NAMESPACE``, of an authority of the domain."""
    if len(text) > LONGEST_ID:
        raise wrong(f"No patient id has more than {LONGEST_ID} characters", where)
    try:
        cx = parse_identifier(text)
    except ValueError as error:
        raise wrong(str(error), where) from None
    authority = domain.authority(cx.authority)
    if authority is None:
        known = ", ".join(each.namespace_id for each in domain.assigning_authorities)
        raise wrong(f"The assigning authority is none of this domain's: {known}", where)
    return Identifier(authority=authority, id=cx.id, location=where)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _why(error: Exception) -> str:
    """No words of the body: it may hold data of a patient."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return str(error) if type(error) is ValueError else type(error).__name__
