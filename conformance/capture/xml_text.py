"""Rewriting the values of XML where they stand: everything else stays as it was written, byte for byte.

Only for text that ``soap.xml.parse`` has accepted: it finds the tokens of XML that is known to be well-formed.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = re.compile(
    r"(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<instruction><\?.*?\?>)"
    r"|(?P<tag><(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<text>[^<]+)",
    re.DOTALL,
)
ATTRIBUTE = re.compile(r"([^\s=<>/\"']+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
NAME = re.compile(r"<(?:[^\s/>:]+:)?([^\s/>:]+)")
LABELS = ("name", "Name", "identificationScheme", "ParticipantObjectTypeCode", "classificationScheme")
ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way down: its local name, and the attribute that tells it from its like."""

    name: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.name}[{self.label}]" if self.label else self.name


Visit = Callable[[str, str], str]
"""Given a path (``/Envelope/Body/Slot[name]/Value``, ``/id/@extension``) and a value; returns the new value."""


def rewrite(text: str, visit: Visit) -> str:
    """Rewrite the values of texts and attributes; comments and instructions go."""
    path: list[Step] = []
    return TOKEN.sub(lambda token: _token(token, path, visit), text)


def _token(token: re.Match[str], path: list[Step], visit: Visit) -> str:
    match token.lastgroup:
        case "comment":
            return ""
        case "instruction":
            return token[0] if token[0].startswith("<?xml ") else ""
        case "cdata":
            return _changed(token[0], token[0][9:-3], _spelled(path), visit)
        case "tag":
            return _tag(token[0], path, visit)
    return _changed(token[0], html.unescape(token[0]), _spelled(path), visit)


def _tag(tag: str, path: list[Step], visit: Visit) -> str:
    if tag.startswith("</"):
        if path:
            path.pop()
        return tag
    if tag.startswith("<!"):
        return tag
    attributes = {found[1].rpartition(":")[2]: html.unescape(found[3][1:-1]) for found in ATTRIBUTE.finditer(tag)}
    found = NAME.match(tag)
    label = next((attributes[each] for each in LABELS if each in attributes), "")
    path.append(Step(found[1] if found else "", label))
    above = _spelled(path)
    new = ATTRIBUTE.sub(lambda each: _attribute(each, above, visit), tag)
    if tag.endswith("/>"):
        path.pop()
    return new


def _attribute(found: re.Match[str], above: str, visit: Visit) -> str:
    name, equals, quoted = found.groups()
    if name.startswith("xmlns"):
        return found[0]
    new = _changed(quoted[1:-1], html.unescape(quoted[1:-1]), f"{above}/@{name.rpartition(':')[2]}", visit)
    return f"{name}{equals}{quoted[0]}{new}{quoted[0]}"


def _changed(raw: str, value: str, path: str, visit: Visit) -> str:
    """The raw text, unless the value is another: white space around a value stays."""
    bare = value.strip()
    if not bare:
        return raw
    new = visit(path, bare)
    if new == bare:
        return raw
    start = value.index(bare)
    return _escaped(value[:start] + new + value[start + len(bare) :])


def _escaped(value: str) -> str:
    return "".join(ESCAPED.get(each, each) for each in value)


def _spelled(path: list[Step]) -> str:
    return "".join(f"/{each}" for each in path)
