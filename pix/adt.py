"""What the ADT messages of ITI-8 and ITI-30 have in common: reading, origin (ITI TF-2: 3.8, 3.30)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from hl7v2.ack import Mode, ack
from hl7v2.er7 import serialize
from hl7v2.message import Message, Segment
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from ihe.rules import breaches
from pix.identification import IdentifierReader, missing
from pix.manager import PatientIndex
from pix.model import Feed, Identifier, IdentifierList, Merge, Origin
from pix.patient_rules import EVENT_RULES, PatientRules
from pix.pid import deleted_attributes, read_demographics
from pix.remembering import Last
from pix.text_lengths import refuse_long_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One ADT message on its way through the index: what is asked, by whom, and how it will be acknowledged."""

    message: Message
    index: PatientIndex
    exchange: Exchange
    mode: Mode

    def reader(self) -> IdentifierReader:
        """A reader of this message's identifiers."""
        return IdentifierReader(self.index.domain, source(self.message), self.exchange.forgive)

    def origin(self, transaction: str, warnings: Rejected | None = None) -> Origin:
        """Where the change comes from, and the acknowledgement that will be stored with it."""
        answer = ack(self.message, warnings, self.exchange, self.mode)
        return Origin(
            source=source(self.message),
            message_id=self.message.control_id,
            digest=digest(self.message),
            answer=serialize(answer) if answer else b"",
            transaction=f"{transaction} {self.message.event}",
        )


Apply = Callable[[Admission], bytes]


def decode(message: Message) -> Message:
    """Take the message as it is, provided that it can be told from others and says whom it is about."""
    if not message.control_id:
        raise Rejected(missing("MSH^1^10", "The message control id", tf2("C.2.2")))
    message["PID"]
    refuse_long_fields(message)
    return message


def encode(stored: bytes) -> bytes | None:
    """The stored acknowledgement, ready to be sent; None if the sender wants none (enhanced mode)."""
    return stored or None


def apply(handlers: Mapping[str, Apply], admission: Admission) -> bytes:
    """Hand the message to the handler of its event; unknown events are rejected (ITI TF-2: C.2.3)."""
    event = admission.message.event
    if event not in handlers:
        raise Rejected(_unsupported(event, handlers))
    return handlers[event](admission)


def register(admission: Admission, transaction: str, rules: PatientRules, listed: IdentifierList) -> bytes:
    """Feed the patient of PID."""
    pid, reader = admission.message["PID"], admission.reader()
    identifiers = reader.read(pid, 3)
    reader.breaches.extend((*breaches(pid, rules), *other_patients(admission.message)))
    reader.breaches.extend(breaches(admission.message, EVENT_RULES))
    warnings = reader.verdict()
    feed = Feed(
        identifiers=identifiers,
        demographics=read_demographics(pid),
        deleted=deleted_attributes(pid),
        withdrawn=reader.withdrawn(pid, 3),
        identifier_list=listed,
        sent=as_sent(pid),
        announces=admission.message.event == "A28",
    )
    return admission.index.register(feed, admission.origin(transaction, warnings))


def other_patients(message: Message) -> Iterator[Breach]:
    """Each PID beyond the first: acknowledged and not read, its patient would be lost (ITI TF-2: Table 3.30-9)."""
    for number in range(2, len(message.all("PID")) + 1):
        yield Breach(
            code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
            text="The message is about one patient and has another PID",
            location=f"PID^{number}",
            citation=tf2("Table 3.30-9"),
            remedy="Send a message for each patient",
        )


def read_merges(admission: Admission) -> tuple[Merge, ...]:
    """Pair each id of MRG-1 with the id of PID-3 that has the same authority (ITI TF-2: 3.8.4.2.2.4)."""
    reader, merges = admission.reader(), []
    reader.breaches.extend(breaches(admission.message, EVENT_RULES))
    for group in admission.message.groups("PID"):
        surviving, pairs = reader.read(group["PID"], 3), []
        for subsumed in reader.read(group["MRG"], 1):
            target = _target(subsumed, surviving)
            if target is None and surviving:
                reader.breaches.append(_across_domains(subsumed))
            elif target is not None:
                pairs.append(Merge(surviving=target, subsumed=subsumed))
        merges += _differing(pairs)
    reader.verdict()
    return tuple(merges)


def read_two_patients(admission: Admission) -> tuple[tuple[Identifier, ...], tuple[Identifier, ...]]:
    """The identifier lists of the two PID segments (ITI TF-2: 3.30.6.6.3)."""
    reader, patients = admission.reader(), admission.message.all("PID")
    if len(patients) != 2:
        raise Rejected(_not_two(len(patients)))
    first, second = (reader.read(each, 3) for each in patients)
    reader.verdict()
    return first, second


@Last
def source(message: Message) -> str:
    """Who sends: ``application|facility`` of MSH-3 and MSH-4 (ITI TF-2: 3.8.4.1.3.1)."""
    return f"{message.sending_application}|{message.sending_facility}"


def digest(message: Message) -> str:
    """SHA-256 of the content: all of the message but MSH-7, the time, which changes when it is sent again."""
    header = message.header.fields[:6] + message.header.fields[7:]
    lines = ["|".join(header), *[f"{each.name}|{'|'.join(each.fields)}" for each in message.segments[1:]]]
    return sha256("\r".join(lines).encode()).hexdigest()


def as_sent(segment: Segment) -> str:
    """A segment as it was received."""
    field = segment.encoding.field
    return f"{segment.name}{field}{field.join(segment.fields)}"


def _target(subsumed: Identifier, surviving: Iterable[Identifier]) -> Identifier | None:
    same = [each for each in surviving if each.authority.oid == subsumed.authority.oid]
    return subsumed if subsumed in same else next(iter(same), None)


def _differing(merges: list[Merge]) -> list[Merge]:
    """Without the ids that stand in both lists and stay; lists that say nothing else are left for a refusal."""
    return [each for each in merges if each.subsumed != each.surviving] or merges


def _across_domains(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="PID-3 has no identifier of the assigning authority whose identifier is to be merged",
        location=f"{identifier.location.removesuffix('^1')}^4",
        observed=f"{identifier.authority.namespace_id} {identifier.authority.oid}",
        citation=tf2("3.8.4.2.2.4"),
        remedy="Identifiers are merged within one domain; ADT^A24 links patients of two domains",
    )


def _not_two(count: int) -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text="A link or unlink message names two patients, each in a PID segment",
        location="PID^2",
        observed=f"{count} PID",
        citation=tf2("Table 3.30-13"),
    )


def _unsupported(event: str, handlers: Mapping[str, Apply]) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNSUPPORTED_EVENT_CODE,
        text="This trigger event is not supported",
        location="MSH^1^9^1^2",
        observed=event,
        expected=", ".join(handlers),
        citation=tf2("C.2.3"),
    )
