"""Clients of HL7 v3: an identity source, a PIX Consumer, a PDQ Consumer."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from affinity.client.patients import Sought
from affinity.client.v3 import OURSELVES, Devices, demographics_query, identifiers_query
from ihe.datatypes import HD
from ihe.identifiers import new_oid
from pix.iti44 import ITI_44
from pix.iti45 import ITI_45
from pix.iti47 import ITI_47
from soap.client import SOAPAnswer
from soap.xml import parse, serialize
from tests.conformance.clients.change import LONG, NOTHING_CAME, SHORT, Change, unchanged
from tests.conformance.clients.web import DOORS, Web

MESSAGES = Path(__file__).parents[2] / "pix/v3/messages"


def sample(name: str) -> bytes:
    """A good message of the tests of HL7 v3."""
    return serialize(parse((MESSAGES / name).read_bytes()))


@dataclass
class V3Source(Web):
    """A Patient Identity Source. ``change`` is applied to the last message of the step that it names."""

    step: str = ""
    change: Change = unchanged
    made: int = 0
    prefix: bytes = field(default_factory=lambda: b"V3-%b" % new_oid()[-6:].encode())

    def act(self, step: str) -> None:
        """Do what a step asks."""
        door = DOORS.get(step, "http")
        if step == "merge":
            self.send(self.added(), door)
        body = {"update": self.revised, "merge": self.merged}.get(step, self.added)()
        if step in ("late-answer", "lost-answer", "answer-not-well-formed", "refused"):
            self.send(body, door, SHORT if step == "late-answer" else LONG)
        if step == "refused":
            body = body.replace(b"Weber", b"Mended")
        self.send(self.change(body) if step == self.step else body, door)

    def added(self) -> bytes:
        self.made += 1
        return self.numbered(sample("iti44_added.xml"), self.made)

    def revised(self) -> bytes:
        return self.numbered(sample("iti44_revised.xml"), 1)

    def merged(self) -> bytes:
        body = sample("iti44_duplicates_resolved.xml").replace(b"H-2", b"%b-%d" % (self.prefix, self.made))
        return self.numbered(body, 1)

    def numbered(self, body: bytes, number: int) -> bytes:
        """In the domain of the simulator, with a message id of its own."""
        world = self.session.course.world
        oid, other = world.authority.oid.encode(), world.other_authority.oid.encode()
        own = b'<id root="%b" extension="1"' % new_oid().encode()
        for extension in (b"1", b"2", b"3"):
            body = body.replace(b'<id root="2.25.999.100" extension="%b"' % extension, own)
        body = body.replace(b'"2.25.999.1"', b'"%b"' % oid).replace(b"H-1", b"%b-%d" % (self.prefix, number))
        return body.replace(b"2.25.999.9", other).replace(b"1980051512305", b"X%b-%d" % (self.prefix, number))

    def send(self, body: bytes, door: str, timeout: float = LONG) -> None:
        chosen = next(each for each in ITI_44.bindings if each.request.rpartition("}")[2].encode() in body[:200])  # type: ignore[union-attr]
        with suppress(*NOTHING_CAME):
            self.client("/pix", door, timeout).call(chosen, [body])  # type: ignore[arg-type]


@dataclass
class V3Consumer(Web):
    """A PIX or PDQ Consumer of HL7 v3."""

    path: str
    step: str = ""
    change: Change = unchanged

    def act(self, step: str) -> None:
        """Do what a step asks."""
        door = DOORS.get(step, "http")
        body = self.body(step)
        if step == "foreign-answer":
            self.send(body, door)
        answer = self.send(self.change(body) if step == self.step else body, door)
        if step == "next-page" and answer is not None:
            self.send(continuation(body), door, "QUQI_IN000003UV01_Continue")

    def body(self, step: str) -> bytes:
        world, devices = self.session.course.world, Devices(receiver="2.25.2")
        if self.path == "/pdq":
            many = step == "next-page"
            sought = Sought(family=world.crowd if many else world.family)
            return demographics_query(sought, devices, quantity=5 if many else None)
        patient = world.unknown if step == "unknown-patient" else world.patient
        domains = (HD("", world.other_authority.oid, "ISO"),) if step == "query-one-domain" else ()
        return identifiers_query(patient, domains, devices)

    def send(self, body: bytes, door: str, action: str = "") -> SOAPAnswer | None:
        bindings = ITI_47.bindings if self.path == "/pdq" else ITI_45.bindings
        chosen = next(each for each in bindings if each.action.endswith(action or "UV02"))  # type: ignore[union-attr]
        with suppress(*NOTHING_CAME):
            return self.client(self.path, door).call(chosen, [body])  # type: ignore[arg-type]
        return None


def continuation(query: bytes) -> bytes:
    """QUQI_IN000003UV01 for five more of what a query asked for."""
    asked = parse(query).find(".//{*}queryByParameter/{*}queryId")
    assert asked is not None
    body = parse((MESSAGES / "iti47_continue.xml").read_bytes())
    for name in ("root", "extension"):
        value = asked.get(name)
        for told in body.iterfind(".//{*}queryContinuation/{*}queryId"):
            told.attrib.pop(name, None)
            told.attrib.update({name: value} if value else {})
    for device in body.iterfind("{*}sender/{*}device"):
        device[0].set("root", OURSELVES)
        del device[1:]
    return serialize(body)
