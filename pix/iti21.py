"""Patient Demographics Query [ITI-21] (ITI TF-2: 3.21): QBP^Q22 and RSP^K22, continuation, and QCN^J01 to cancel."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from hl7v2.ack import ack, errors, msa, outcome
from hl7v2.compose import answer, segment
from hl7v2.message import Message, Segment
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected, Severity
from ihe.exchange import Exchange
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix.adt import source
from pix.auditing import demographics_queried
from pix.demographics_fields import FIELD, read_criteria
from pix.domains_returned import domains_returned
from pix.identification import missing
from pix.immediate import check_priority
from pix.manager import PatientIndex
from pix.pid import write_pid
from pix.queries import CandidateQuery, Page
from pix.search_algorithm import check_algorithm, is_named, minimum_degree, search_mode
from pix.text_lengths import refuse_long_fields

RESPONSE = ("RSP", "K22", "RSP_K21")
DOMAINS = 8
"""QPD-8 What Domains Returned (ITI TF-2: Table 3.21-2)."""
CANCEL = "QCN^J01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The consumer wants no more of a query's result."""

    tag: str


def decode(message: Message) -> Message:
    """Take a query, or the cancellation of one."""
    if message.trigger == CANCEL:
        if not message["QID"].text(1):
            raise Rejected(missing("QID^1^1", "The query tag", tf2("Table 3.21-11")))
    else:
        message["QPD"]
    refuse_long_fields(message)
    return message


def handle(message: Message, index: PatientIndex, exchange: Exchange) -> Page | Cancelled:
    """Search, or go on with a search, or forget it (ITI TF-2: 3.21.4.2.2.8, 3.21.4.3)."""
    owner = source(message)
    if message.trigger == CANCEL:
        cancelled = Cancelled(tag=message["QID"].text(1))
        index.cancel(cancelled.tag, owner)
        return cancelled
    check_priority(message)
    pointer, quantity = continuation_pointer(message), quantity_limit(message)
    if pointer:
        return go_on(index, message, pointer, quantity)
    return index.find(_query(message, index, quantity, owner))


def encode(message: Message, found: Page | Cancelled, exchange: Exchange) -> Message | None:
    """AA with a PID for each patient, and DSC if there are more; NF without a PID (cases 1 and 2)."""
    if isinstance(found, Cancelled):
        return ack(message, None, exchange)
    return respond(
        message, exchange, RESPONSE, "AA", acknowledgement(found), truncation(found), _payload(message["QPD"], found)
    )


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE in MSA and QAK and an ERR for each breach (case 3)."""
    if "QPD" not in message:
        return ack(message, rejected, exchange)
    code = f"A{outcome(rejected).value}"
    return respond(message, exchange, RESPONSE, code, {2: code}, rejected)


def acknowledgement(found: Page) -> dict[int, str]:
    """QAK-2 and the counts of QAK-4 to QAK-6 (ITI TF-2: 3.21.4.2.2.3)."""
    hits, shown = str(found.total), str(len(found.candidates))
    return {2: "OK" if found.total else "NF", 4: hits, 5: shown, 6: str(found.remaining)}


def respond(
    message: Message,
    exchange: Exchange,
    message_type: tuple[str, ...],
    code: str,
    qak: dict[int, str],
    rejected: Rejected | None,
    payload: Iterable[Segment] = (),
) -> Message:
    """The head of an answer to a demographics query, and the patients (ITI TF-2: Table 3.21-6)."""
    qpd = message["QPD"]
    head = (msa(message, code), *errors(message, rejected), segment("QAK", {1: qpd.text(2), **qak}), qpd)
    return answer(message, exchange, message_type, (*head, *payload))


def _payload(qpd: Segment, page: Page) -> Iterator[Segment]:
    """A PID for each patient, QRI after it if the query says how to search, and DSC (ITI TF-2: 3.21.4.2.2.6)."""
    confident = is_named(qpd)
    for number, each in enumerate(page.candidates, page.start):
        yield write_pid(number, (identifier.cx for identifier in each.identifiers), each.demographics)
        if confident:
            yield segment("QRI", {1: str(each.match_degree), 3: search_mode(qpd)})
    if page.pointer:
        yield segment("DSC", {1: page.pointer, 2: "I"})


def _query(message: Message, index: PatientIndex, quantity: int | None, owner: str) -> CandidateQuery:
    qpd = message["QPD"]
    domains, unknown = domains_returned(qpd, DOMAINS, index.domain, tf2("3.21.4.2.2.8, case 3"))
    if unknown:
        raise Rejected(*unknown)
    check_algorithm(qpd)
    return CandidateQuery(
        criteria=read_criteria(qpd, index.domain),
        algorithm=search_mode(qpd),
        minimum_degree=minimum_degree(qpd),
        domains=domains,
        quantity=quantity,
        owner=owner,
        tag=qpd.text(2),
        asked=as_asked(message),
    )


def as_asked(message: Message) -> str:
    """The event and QPD from QPD-3 on: what "reissues the query message" when it goes on (ITI TF-2: 3.21.4.2.3)."""
    return "|".join((message.trigger, *message["QPD"].fields[FIELD - 1 :])).rstrip("|")


def go_on(index: PatientIndex, message: Message, pointer: str, quantity: int | None) -> Page:
    """The page that DSC names. Rejected: it is not known any more, or the query is not the one that it continues."""
    page = index.more(pointer, quantity, source(message))
    if page is None:
        raise Rejected(_unknown_pointer(pointer))
    if page.asked != as_asked(message):
        raise Rejected(_another_query(message, page.asked))
    return page


def continuation_pointer(message: Message) -> str:
    """DSC-1, empty in the first query."""
    dsc = message.find("DSC")
    return dsc.text(1) if dsc else ""


def quantity_limit(message: Message) -> int | None:
    """RCP-2, a number of records; none: all at once (ITI TF-2: 3.21.4.1.2.5.2)."""
    rcp = message.find("RCP")
    text = rcp.text(2) if rcp else ""
    if not text:
        return None
    if rcp and rcp.text(2, 2) not in ("RD", ""):
        raise Rejected(_not_records(rcp.text(2, 2)))
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) == 0:
        raise Rejected(_no_number(text))
    return int(text[:9])


def truncation(page: Page) -> Rejected | None:
    """A warning if more match than are listed."""
    if not page.truncated:
        return None
    return Rejected(
        Breach(
            code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
            text=f"More patients match than the {page.total} that are listed",
            location="QPD^1^3",
            remedy="Narrow the search",
            severity=Severity.WARNING,
        )
    )


def _unknown_pointer(pointer: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This continuation pointer is not, or no longer, known",
        location="DSC^1^1",
        observed=pointer,
        citation=tf2("3.21.4.2.2.7"),
        remedy="Send the query again without DSC",
    )


def _another_query(message: Message, asked: str) -> Breach:
    """Say where the query differs from the one that it continues: the answer repeats QPD, and would be untrue."""
    both = zip_longest(asked.split("|"), as_asked(message).split("|"), fillvalue="")
    differing = next(place for place, (before, now) in enumerate(both) if before != now)
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This continuation pointer is of another query",
        location=message["QPD"].location(FIELD + differing - 1) if differing else "DSC^1^1",
        citation=tf2("3.21.4.2.3"),
        remedy="Repeat the query as it was sent first, or send this one without DSC",
    )


def _not_records(unit: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
        text="A quantity is a number of records",
        location="RCP^1^2^1^2",
        observed=unit,
        expected="RD",
        citation=tf2("3.21.4.1.2.5.2"),
    )


def _no_number(text: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.DATA_TYPE_ERROR,
        text="A quantity is an integer greater than 0",
        location="RCP^1^2^1^1",
        observed=text,
        citation=tf2("3.21.4.1.2.5.2"),
    )


ITI_21 = Transaction(
    id="ITI-21",
    name="Patient Demographics Query",
    citation=tf2("3.21"),
    initiator=Actor.PATIENT_DEMOGRAPHICS_CONSUMER,
    responder=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER,
    bindings=(HL7v2Binding(triggers=frozenset({"QBP^Q22", CANCEL})),),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=demographics_queried(tf2("3.21.5.1.2"), transaction_code("ITI-21", "Patient Demographics Query")),
)
