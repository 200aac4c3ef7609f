"""Suites for clients of HL7 v3: identity source, PIX Consumer, PDQ Consumer (ITI TF-2: 3.44, 3.45, 3.47)."""

from lxml.etree import _Element

from conformance.clients.judging import Comparison, Demand, Fits, accepted, sent, sent_again
from conformance.clients.messages import anything
from conformance.clients.secured import EXPIRED, HTTPS_DOORS, STRANGER
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import SOAP, has_its_action
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from ihe.datatypes import CX
from ihe.transactions import Actor
from pix.v3_elements import attribute, children, instance_identifiers, name_of, words

ADDED, REVISED, MERGED = "PRPA_IN201301UV02", "PRPA_IN201302UV02", "PRPA_IN201304UV02"
IDENTIFIERS, DEMOGRAPHICS, CONTINUED = "PRPA_IN201309UV02", "PRPA_IN201305UV02", "QUQI_IN000003UV01"
PATIENT = "controlActProcess/subject/registrationEvent/subject1/patient"
REPLACED = "controlActProcess/subject/registrationEvent/replacementOf/priorRegistration/subject1/priorRegisteredRole"
ACTION = (*SOAP, "TF2-V-007")
"""What ``has_its_action`` shows."""


def identity_source(delay: float) -> ClientSuite:
    """The suite of a Patient Identity Source; ``delay`` is how long an answer keeps away."""
    return ClientSuite(
        actor=Actor.PATIENT_IDENTITY_SOURCE,
        name="patient-identity-source-v3",
        doors=HTTPS_DOORS,
        paths=("/pix", "/xds/registry"),
        steps=(*_feeding(), *_unanswered(delay), EXPIRED, STRANGER),
    )


def pix_consumer() -> ClientSuite:
    """The suite of a PIX Consumer."""
    return ClientSuite(
        actor=Actor.PIX_CONSUMER,
        name="pix-consumer-v3",
        doors=HTTPS_DOORS,
        paths=("/pix",),
        steps=(*_identifying(), EXPIRED, STRANGER),
    )


def pdq_consumer() -> ClientSuite:
    """The suite of a Patient Demographics Consumer."""
    return ClientSuite(
        actor=Actor.PATIENT_DEMOGRAPHICS_CONSUMER,
        name="pdq-consumer-v3",
        doors=HTTPS_DOORS,
        paths=("/pdq",),
        steps=(*_searching(), EXPIRED, STRANGER),
    )


def interaction(*names: str) -> Fits:
    """Claim that the payload is one of these interactions."""
    return lambda each: (body := each.seen.read.body) is not None and name_of(body) in names


def ids(each: Judged, path: str) -> frozenset[tuple[str, str]]:
    """Root and extension of the ids at a path."""
    return frozenset((one.root, one.extension) for one in instance_identifiers(each.seen.read.body, path))


def patient_ids(each: Judged) -> frozenset[tuple[str, str]]:
    """The ids of the patient of a feed."""
    return ids(each, f"{PATIENT}/id")


def known_to_the_domain(each: Judged, world: World) -> str:
    """The patient has an id of the authority of the domain."""
    roots = {root for root, _ in patient_ids(each)}
    return "" if world.authority.oid in roots else f"Patient.id has no root {world.authority.oid}"


def says_what_is_replaced(each: Judged, _: World) -> str:
    """The id that is given up stands below replacementOf (Table 3.44.4.2.3-1)."""
    given_up = ids(each, f"{REPLACED}/id")
    if not given_up:
        return "replacementOf names no id that is given up"
    return "the id that is given up is the patient's own" if given_up & patient_ids(each) else ""


def asks_about(pick: str) -> Demand:
    """The parameter patientIdentifier is that patient of the world."""

    def demand(each: Judged, world: World) -> str:
        wanted: CX = getattr(world, pick)
        asked = [_of(one, "value") for one in _parameters(each, "patientIdentifier")]
        fits = (wanted.authority.universal_id, wanted.id) in asked
        return "" if fits else f"patientIdentifier is {asked or 'missing'} instead of {wanted}"

    return demand


def names_a_domain(each: Judged, world: World) -> str:
    """dataSource names the other authority, and it alone."""
    named = {_of(one, "value")[0] for one in _parameters(each, "dataSource")}
    return "" if named == {world.other_authority.oid} else f"dataSource is {', '.join(sorted(named)) or 'missing'}"


def names(pick: str) -> Demand:
    """livingSubjectName has that family name of the world."""

    def demand(each: Judged, world: World) -> str:
        wanted: str = getattr(world, pick)
        asked = " ".join(words(one) for one in _parameters(each, "livingSubjectName"))
        return "" if wanted.casefold() in asked.casefold() else f"livingSubjectName is {asked or 'missing'!r}"

    return demand


def same_message(first: Judged, second: Judged) -> str:
    """A message whose fate is unknown comes again under its id."""
    return (
        ""
        if ids(first, "id") == ids(second, "id")
        else "what came next has another message id: a receiver takes it for another message"
    )


def other_content(first: Judged, second: Judged) -> str:
    """What was refused does not come again as it was."""
    said = [_patients_words(each) for each in (first, second)]
    return "the message that was answered CE came again unchanged" if said[0] == said[1] else ""


def continues(first: Judged, second: Judged) -> str:
    """The second message continues the query of the first (3.47.4.3)."""
    body = second.seen.read.body
    if body is None or name_of(body) != CONTINUED:
        return "what came next is no continuation of the query"
    asked = ids(first, "controlActProcess/queryByParameter/queryId")
    told = ids(second, "controlActProcess/queryContinuation/queryId")
    return "" if asked and asked == told else "queryContinuation.queryId is not the id of the query"


def _feeding() -> tuple[Step, ...]:
    return (
        Step(
            name="feed",
            ask="Announce a new patient (PRPA_IN201301UV02) with an id of root {authority}.",
            judge=sent(interaction(ADDED), has_its_action, known_to_the_domain, accepted),
            covers=ACTION,
        ),
        Step(
            name="update",
            ask="Change the address of the patient (PRPA_IN201302UV02).",
            judge=sent(interaction(REVISED), has_its_action, known_to_the_domain, accepted),
            covers=ACTION,
        ),
    )


def _unanswered(delay: float) -> tuple[Step, ...]:
    again = "the client sends the same message again, with the same message id."
    return (
        _fed_again("late-answer", f"The answer keeps away for {delay:g} s: {again}", FaultKind.DELAY, f"{delay:g}"),
        _fed_again("lost-answer", f"The connection ends before the answer comes: {again}", FaultKind.CLOSE),
        _fed_again("answer-not-well-formed", f"The answer cannot be read: {again}", FaultKind.NOT_WELL_FORMED),
        Step(
            name="refused",
            ask="Announce another patient. The answer is CE: the client tells a person. Correct something and send it.",
            judge=sent_again(interaction(ADDED, REVISED), other_content, has_its_action, accepted),
            covers=ACTION,
            faults=at_first(FaultKind.REFUSE, "ITI-44", detail="AE"),
        ),
        Step(
            name="merge",
            ask="Announce a second record of a patient, then merge the two (PRPA_IN201304UV02).",
            judge=sent(interaction(MERGED), has_its_action, known_to_the_domain, says_what_is_replaced, accepted),
            covers=(*ACTION, "ITI-44-077", "ITI-44-078", "ITI-44-102"),
        ),
    )


def _fed_again(name: str, told: str, kind: FaultKind, detail: str = "") -> Step:
    return Step(
        name=name,
        ask=f"Announce another patient. {told}",
        judge=sent_again(interaction(ADDED), same_message, has_its_action),
        covers=ACTION,
        faults=at_first(kind, "ITI-44", detail=detail),
    )


def _identifying() -> tuple[Step, ...]:
    asked = interaction(IDENTIFIERS)
    return (
        Step(
            name="query",
            ask="Ask for the other ids of patient {patient} (PRPA_IN201309UV02).",
            judge=sent(asked, has_its_action, asks_about("patient"), accepted),
            covers=ACTION,
        ),
        Step(
            name="query-one-domain",
            ask="Ask for the ids of patient {patient} in the domain of {other_authority} alone (dataSource).",
            judge=sent(asked, has_its_action, asks_about("patient"), names_a_domain, accepted),
            covers=ACTION,
        ),
        Step(
            name="unknown-patient",
            ask="Ask for the ids of patient {unknown}, whom nobody has announced: the answer is AE. "
            "The client says so.",
            judge=sent(asked, has_its_action, asks_about("unknown")),
            covers=ACTION,
        ),
        _asked_again("ITI-45", asked, asks_about("patient"), "Ask about patient {patient}."),
    )


def _searching() -> tuple[Step, ...]:
    asked = interaction(DEMOGRAPHICS)
    return (
        Step(
            name="search-by-name",
            ask="Search for a patient of the family name {family} (PRPA_IN201305UV02).",
            judge=sent(asked, has_its_action, names("family"), accepted),
            covers=(*ACTION, "ITI-47-003", "ITI-47-122"),
        ),
        Step(
            name="next-page",
            ask="Search for the {crowd_size} persons of the family name {crowd}, a few at once (initialQuantity), and "
            "get the next of them (QUQI_IN000003UV01).",
            judge=sent_again(interaction(DEMOGRAPHICS, CONTINUED), continues, has_its_action, accepted),
            covers=(*ACTION, "ITI-47-066", "ITI-47-124", "ITI-47-135"),
        ),
        _asked_again("ITI-47", asked, names("family"), "Search for {family}."),
    )


def _asked_again(transaction: str, asked: Fits, demand: Demand, told: str, fits: Comparison = anything) -> Step:
    return Step(
        name="foreign-answer",
        ask=f"{told} The answer is one to another message (wsa:RelatesTo): it must not be taken for the one to this. "
        "Ask again.",
        judge=sent_again(asked, fits, has_its_action, demand, accepted),
        covers=ACTION,
        faults=at_first(FaultKind.WRONG_RELATES_TO, transaction),
    )


def _parameters(each: Judged, name: str) -> list[_Element]:
    return children(each.seen.read.body, f"controlActProcess/queryByParameter/parameterList/{name}")


def _of(parameter: _Element, path: str) -> tuple[str, str]:
    return attribute(parameter, path, "root") or "", attribute(parameter, path, "extension") or ""


def _patients_words(each: Judged) -> list[str]:
    found = children(each.seen.read.body, PATIENT)
    return [
        " ".join((words(one), *sorted(str(value) for part in one.iter() for value in part.attrib.values())))
        for one in found
    ]
