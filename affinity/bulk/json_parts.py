"""Parts of a JSON object whose types nobody has checked yet; one of another type makes the line unreadable."""

from typing import Any, TypeVar

from affinity.bulk.line import Unreadable

Resource = dict[str, Any]
Kind = TypeVar("Kind")


def text(resource: Resource, name: str) -> str:
    """A text, ``""`` if there is none."""
    return _of(str, resource.get(name, ""), name).strip()


def texts(resource: Resource, name: str) -> list[str]:
    """A list of texts; FHIR has null beside an extension, which says nothing here."""
    return [_of(str, each, name).strip() for each in _of(list, resource.get(name, []), name) if each]


def part(resource: Resource, name: str) -> Resource:
    """An object, an empty one if there is none."""
    found: Resource = _of(dict, resource.get(name, {}), name)
    return found


def objects(resource: Resource, name: str) -> list[Resource]:
    """A list of objects."""
    return [_of(dict, each, name) for each in _of(list, resource.get(name, []), name)]


def boolean(resource: Resource, name: str) -> bool | None:
    """True or false, None if it is not said."""
    return _of(bool, resource[name], name) if name in resource else None


def integer(resource: Resource, name: str) -> int | None:
    """A whole number, None if there is none."""
    if name not in resource:
        return None
    if type(resource[name]) is bool:  # an int to Python alone
        raise Unreadable("structure", f"{name} is no int")
    return _of(int, resource[name], name)


def once(pairs: list[tuple[str, Any]]) -> Resource:
    """An object whose names stand once: of two values nobody knows which one is meant (RFC 8259: 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable("structure", f"{twice[:50]} stands twice in one object")
    return found


def _of(kind: type[Kind], value: Any, name: str) -> Kind:
    if not isinstance(value, kind):
        raise Unreadable("structure", f"{name} is no {'text' if kind is str else kind.__name__}")
    return value
