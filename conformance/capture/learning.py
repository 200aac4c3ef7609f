"""What an answer gives that later requests need: entryUUIDs, the continuation pointer, where a document lies."""

from collections.abc import Iterator
from itertools import zip_longest

from lxml.etree import _Element

from conformance.capture import readable
from conformance.capture.carried import Carried
from conformance.capture.introduced import SCHEME, UNIQUE_IDS
from conformance.capture.recorded import Message
from hl7v2.er7 import Malformed, NotHL7, parse
from ihe.errors import Rejected
from soap.xml import XMLRefused
from soap.xml import parse as parse_xml

OBJECTS = ("{*}ExtrinsicObject", "{*}RegistryPackage", "{*}Association", "{*}ObjectRef")


def learn(captured: Message | None, replayed: Message | None, carried: Carried) -> None:
    """Pair the values of both answers; from here on the later ones are sent."""
    if captured is None or replayed is None:
        return
    pairs = _in_er7(captured, replayed) if not captured.head else _in_xml(captured, replayed, carried)
    for old, new in pairs:
        if old and new and old != new:
            carried.put(old.removeprefix("urn:uuid:"), new.removeprefix("urn:uuid:"))


def _in_er7(captured: Message, replayed: Message) -> Iterator[tuple[str, str]]:
    """DSC-1 (ITI TF-2: 3.21.4.2.2.8)."""
    yield _pointer(captured), _pointer(replayed)


def _pointer(message: Message) -> str:
    try:
        found = parse(message.text.content()).find("DSC")
    except (Malformed, NotHL7, Rejected):
        return ""
    return found.text(1) if found else ""


def _in_xml(captured: Message, replayed: Message, carried: Carried) -> Iterator[tuple[str, str]]:
    before, after = _root(captured), _root(replayed)
    if before is None or after is None:
        return
    for old, new in _paired(list(before.iter(*OBJECTS)), list(after.iter(*OBJECTS)), carried):
        for name in ("id", "lid", "home"):
            yield old.get(name, ""), new.get(name, "")
        yield _repository(old), _repository(new)
    path = "{*}Body/{*}*/{urn:hl7-org:v3}id"
    for one, other in zip_longest(before.iterfind(path), after.iterfind(path)):
        if one is not None and other is not None and one.get("extension") is None:
            yield one.get("root", ""), other.get("root", "")


def _paired(before: list[_Element], after: list[_Element], carried: Carried) -> Iterator[tuple[_Element, _Element]]:
    """By uniqueId; what has none, in the order of the answer, if there are equally many."""
    by_id = {_unique_id(each): each for each in after}
    rest = []
    for each in before:
        unique_id = carried(_unique_id(each).encode()).decode()
        if unique_id and unique_id in by_id:
            yield each, by_id[unique_id]
        elif not unique_id:
            rest.append(each)
    unnamed = [each for each in after if not _unique_id(each)]
    if len(unnamed) == len(rest):
        yield from zip(rest, unnamed, strict=True)


def _unique_id(element: _Element) -> str:
    found = (each for each in element.iterfind("{*}ExternalIdentifier") if each.get(SCHEME) in UNIQUE_IDS)
    return next((each.get("value", "") for each in found), "")


def _repository(element: _Element) -> str:
    return element.findtext("{*}Slot[@name='repositoryUniqueId']/{*}ValueList/{*}Value") or ""


def _root(message: Message) -> _Element | None:
    envelope = readable.envelope(message)
    try:
        return parse_xml(envelope) if envelope else None
    except XMLRefused:
        return None
