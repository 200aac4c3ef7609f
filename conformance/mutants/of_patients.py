"""A patient index that does one thing wrong: merges, links, queries and their answers (ITI TF-2: 3.8 to 3.47)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import replace
from typing import Any

from lxml.etree import _Element

from conformance.mutants.mutant import Mutant, original, replaced
from hl7v2.message import Message, Segment
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach
from pix.domains_returned import domains_returned
from pix.model import Identifier, Origin
from pix.queries import CandidateQuery, Criteria, Page
from pix.v3_elements import InstanceIdentifier

INDEX = "pix.manager:PatientIndex"
STRANGER = InstanceIdentifier("2.999.42")


def _acknowledges_only(_index: object, *told: Any) -> bytes:
    """The change is acknowledged and forgotten."""
    origin: Origin = told[-1]
    return origin.answer


def _with_the_id_asked(index: Any, asked: Identifier, domains: Any = ()) -> tuple[Identifier, ...] | None:
    found = CORRESPONDING(index, asked, domains)
    return found and (asked, *found)


def _of_all_domains(index: Any, asked: Identifier, _domains: Any = ()) -> tuple[Identifier, ...] | None:
    found: tuple[Identifier, ...] | None = CORRESPONDING(index, asked, ())
    return found


def _finding(**ignored: None) -> Any:
    """A search that ignores these criteria."""

    def find(index: Any, query: CandidateQuery) -> Page:
        def broader(criteria: Criteria) -> Criteria:
            return replace(criteria, **ignored)  # type: ignore[arg-type]

        alternatives = tuple(map(broader, query.alternatives))
        page: Page = FIND(index, replace(query, criteria=broader(query.criteria), alternatives=alternatives))
        return page

    return find


def _from_the_start(index: Any, tag: str, _start: int | None, quantity: int | None, owner: str) -> Page | None:
    page: Page | None = CONTINUED(index, tag, 1, quantity, owner)
    return page


def _forgets_nothing(*_: object) -> None:
    """The query goes on although it was cancelled."""


def _misplaced(breach: Breach) -> dict[int, Any]:
    return {**ERR(breach), 2: ("PID", "1", "3")}


def _misdirected(message: Message, code: str) -> Segment:
    told: Segment = MSA(message, code)
    return replace(told, fields=(told.fields[0], "ANOTHER", *told.fields[2:]))


def _without_pointer(qpd: Segment, page: Page) -> Iterator[Segment]:
    return (each for each in PAYLOAD(qpd, page) if each.name != "DSC")


def _known_domains(qpd: Segment, domain: AffinityDomain) -> tuple[AssigningAuthority, ...]:
    return domains_returned(qpd, 4, domain, ERR_CITATION)[0]


def _all_are_known(*_: object) -> tuple[Breach, ...]:
    return ()


def _another_query(_body: _Element) -> InstanceIdentifier:
    return STRANGER


def _another_message(answer: _Element, code: str, request: _Element, breaches: Any) -> None:
    other = deepcopy(request)
    next(other.iterchildren("{*}id")).set("root", STRANGER.root)
    ACKNOWLEDGEMENT(answer, code, other, breaches)


def _without_nulls(act: _Element, candidate: Any, _domains: Any, community: Any) -> None:
    CANDIDATE(act, candidate, (), community)


CORRESPONDING = original(f"{INDEX}.corresponding")
FIND = original(f"{INDEX}.find")
CONTINUED = original(f"{INDEX}.continued")
ERR = original("hl7v2.ack:_err")
MSA = original("hl7v2.ack:msa")
PAYLOAD = original("pix.iti21:_payload")
ACKNOWLEDGEMENT = original("pix.v3_answers:_add_acknowledgement")
CANDIDATE = original("pix.v3_answers:add_candidate")
ERR_CITATION = original("pix.iti9:ITI_9").citation
LEAK = ("Weber", "Anna")


def _mutant(name: str, sentence: str, where: str, other: Any, *breaks: str) -> Mutant:
    def switched() -> AbstractContextManager[None]:
        return replaced(where, other)

    return Mutant(name=name, sentence=sentence, breaks=frozenset(breaks), switched=switched)


MUTANTS = (
    _mutant(
        "index:forgets-merges",
        "A merge is in force after it was acknowledged",
        f"{INDEX}.merge",
        _acknowledges_only,
        *("ITI-8-080", "ITI-8-088", "ITI-44-098", "ITI-44-105"),
    ),
    _mutant(
        "index:forgets-merges-of-pam",
        "After A40 two patients are one",
        f"{INDEX}.merge_or_change",
        _acknowledges_only,
        "ITI-30-117",
    ),
    _mutant(
        "index:forgets-new-ids", "After A47 the new id is known", f"{INDEX}.change", _acknowledges_only, "ITI-30-130"
    ),
    _mutant("index:forgets-links", "A24 links two patients", f"{INDEX}.link", _acknowledges_only, "ITI-30-139"),
    _mutant("index:forgets-unlinks", "A37 undoes a link", f"{INDEX}.unlink", _acknowledges_only, "ITI-30-147"),
    _mutant("index:forgets-visits", "A visit is kept", f"{INDEX}.encounter", _acknowledges_only, "ITI-31-076"),
    _mutant(
        "pix:returns-the-id-asked-about",
        "The id that was asked about is not returned",
        f"{INDEX}.corresponding",
        _with_the_id_asked,
        *("ITI-9-055", "ITI-45-062"),
    ),
    _mutant(
        "pix:ignores-requested-domains",
        "Ids of requested domains alone are returned",
        f"{INDEX}.corresponding",
        _of_all_domains,
        *("ITI-9-017", "ITI-45-017"),
    ),
    _mutant("pix:accepts-unknown-domains", "Case 5 is an error", "pix.iti9:_domains", _known_domains, "ITI-9-068"),
    _mutant(
        "pix:accepts-unknown-domains-in-v3",
        "Case 5 is an error",
        "pix.iti45:unknown_authorities",
        _all_are_known,
        "ITI-45-080",
    ),
    _mutant("pix:leaks-a-name", "PID-5 has no name", "pix.iti9:PSEUDONYM", LEAK, "ITI-9-049"),
    _mutant("hl7v2:misplaced-errors", "ERR-2 is the place", "hl7v2.ack:_err", _misplaced, "ITI-9-061"),
    _mutant("hl7v2:misdirected-answers", "MSA-2 names the query", "pix.iti9:msa", _misdirected, "ITI-9-031"),
    _mutant("pdq:ignores-sex", "The sex counts", f"{INDEX}.find", _finding(sex=None), "ITI-21-035"),
    _mutant("pdq:ignores-births", "The birth counts", f"{INDEX}.find", _finding(birth=None), "ITI-47-006"),
    _mutant("pdq:ignores-towns", "The address counts", f"{INDEX}.find", _finding(city=None), "ITI-47-006"),
    _mutant(
        "pdq:forgets-the-pointer", "DSC says that there is more", "pix.iti21:_payload", _without_pointer, "ITI-21-097"
    ),
    _mutant("pdq:begins-again", "Each patient comes once", f"{INDEX}.continued", _from_the_start, "ITI-47-065"),
    _mutant("pdq:cancels-nothing", "A cancelled query ends", f"{INDEX}.cancel", _forgets_nothing, "ITI-47-127"),
    _mutant(
        "pdq:drops-nulls", "A domain without id is a null", "pix.iti47:add_candidate", _without_nulls, "ITI-47-107"
    ),
    _mutant("v3:another-query", "queryAck names the query", "pix.iti45:query_id", _another_query, "TF2-O-059"),
    _mutant(
        "v3:another-message",
        "targetMessage names the message",
        "pix.v3_answers:_add_acknowledgement",
        _another_message,
        *("ITI-45-038", "TF2-O-025"),
    ),
)
