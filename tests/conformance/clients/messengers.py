"""Clients of HL7 v2: an ADT system, a PIX Consumer, a PDQ Consumer."""

from dataclasses import dataclass, field

from affinity.client import hl7
from affinity.client.patients import Sought
from conformance.clients.session import Session
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX
from ihe.identifiers import new_oid
from mllp import client as mllp
from tests.conformance.clients.change import LONG, SHORT, Change, unchanged


@dataclass
class Messenger:
    """What every client of HL7 v2 has. ``change`` is applied to the last message of the step that it names."""

    session: Session
    step: str = ""
    change: Change = unchanged
    made: int = 0
    prefix: str = field(default_factory=lambda: f"VENDOR-{new_oid()[-6:]}")
    route: hl7.Route = field(default_factory=hl7.Route)

    def send(self, message: bytes, timeout: float = LONG) -> bytes:
        port = self.session.ports.get("mllp") or self.session.ports["consumer_mllp"]
        try:
            return mllp.send(mllp.Address(host="127.0.0.1", port=port), message, timeout)
        except mllp.MLLPError:
            return b""

    def finish(self, step: str, message: bytes) -> bytes:
        return self.send(self.change(message) if step == self.step else message)


class ADT(Messenger):
    """A Patient Identity Source."""

    def act(self, step: str) -> None:
        """Do what a step asks."""
        message = self.message(step)
        if step in ("late-acknowledgement", "lost-acknowledgement", "foreign-acknowledgement", "no-msa", "rejected"):
            self.send(message, SHORT if step == "late-acknowledgement" else LONG)
        if step == "refused-with-error":
            self.send(message)
            message = message.replace(b"Probe", b"Mended")
        self.finish(step, message)

    def message(self, step: str) -> bytes:
        if step == "merge":
            return self.as_another(self.announcement(1), b"A40^ADT_A39", mrg=self.announcement(2))
        if step == "update":
            return self.as_another(self.announcement(1), b"A31^ADT_A05")
        self.made += 1
        family = "Müller" if step == "characters" else "Probe"
        return serialize(self.announcement(self.made, family))

    def announcement(self, number: int, family: str = "Probe") -> Message:
        authority = self.session.course.world.authority.hd
        id = CX(f"{self.prefix}-{number}", authority)
        return hl7.announce(
            self.route, hl7.Announced(identifiers=(id,), family=family, given="Ida", birth_date="19700101", sex="F")
        )

    def as_another(self, message: Message, event: bytes, mrg: Message | None = None) -> bytes:
        spelled = serialize(message).replace(b"A28^ADT_A05", event)
        if mrg is None:
            return spelled
        lines = [each for each in spelled.split(b"\r") if each and not each.startswith(b"PV1")]
        return b"\r".join((*lines, b"MRG|" + mrg["PID"].raw(3).encode(), b""))


class Asker(Messenger):
    """A PIX Consumer."""

    def act(self, step: str) -> None:
        """Do what a step asks."""
        message = self.question(step)
        if step in ("foreign-answer", "no-answer"):
            self.send(message)
        self.finish(step, message)

    def question(self, step: str) -> bytes:
        world = self.session.course.world
        patient = {"no-other-id": world.alone, "unknown-patient": world.unknown}.get(step, world.patient)
        domains = (world.other_authority.hd,) if step in ("query-one-domain", "no-other-id") else ()
        return serialize(hl7.pix_query(self.route, patient, domains))


class Searcher(Messenger):
    """A Patient Demographics Consumer."""

    def act(self, step: str) -> None:
        """Do what a step asks."""
        world = self.session.course.world
        sought = {"search-by-id": Sought(id=world.patient), "next-page": Sought(family=world.crowd)}
        asked = hl7.criteria(sought.get(step, Sought(family=world.family)))
        message = serialize(hl7.demographics_query(self.route, asked, quantity=5 if step == "next-page" else None))
        if step == "foreign-answer":
            self.send(message)
        if step == "next-page":
            message = self.next_of(message, self.send(message))
        self.finish(step, message)

    def next_of(self, message: bytes, answer: bytes) -> bytes:
        pointer = parse(answer)["DSC"].raw(1).encode()
        asked = parse(message)
        again = message.replace(asked.control_id.encode(), b"NEXT-" + asked.control_id[:15].encode())
        return again + b"DSC|" + pointer + b"|I\r"
