"""What a record's rights say now, as the consent document that would say the same: for export and exchange."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from consent.facts import Facts
from consent.model import EVERYBODY, Party, RecordState, RelationshipKind
from consent.statements import Attribute, Condition, ConsentDocument, Effect, Period, Statement
from ihe.patients import Patient

DENIED = frozenset({RecordState.SUSPENDED, RecordState.CLOSED, RecordState.DELETED})
IN_CARE = frozenset(
    {RelationshipKind.PROFESSIONAL, RelationshipKind.TREATING_DOCTOR, RelationshipKind.REFERRING_DOCTOR}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The document, and in words what no consent document can say."""

    document: ConsentDocument
    left_out: tuple[str, ...]


def standing(patient: Patient, facts: Facts, now: datetime) -> Standing:
    """Say what holds of a patient's record."""
    said = list(_said(facts, now))
    statements = tuple(each for each in said if isinstance(each, Statement))
    return Standing(
        document=ConsentDocument(
            id=f"urn:affinity:consent:{patient.key}",
            patients=(patient.id,),
            statements=tuple(dict.fromkeys(statements)),
            written=now,
        ),
        left_out=tuple(each for each in said if isinstance(each, str)),
    )


def _said(facts: Facts, now: datetime) -> Iterator[Statement | str]:
    state = facts.state(now)
    if state is RecordState.OPEN:
        ends = [each.closes_at for each in facts.records if each.closes_at]
        yield Statement(rule=Effect.PERMIT, period=Period(None, min(ends, default=None)))
    elif state in DENIED:
        yield Statement(rule=Effect.DENY)
    elif state is RecordState.WAITING:
        yield "the record waits, and opens by itself when the waiting period is over"
    for each in facts.relationships:
        if each.holds_at(now):
            condition = _condition(each.party) if each.kind in IN_CARE else None
            period = Period(None, each.until)
            yield (
                Statement(rule=Effect.PERMIT, conditions=frozenset({condition}), period=period)
                if condition
                else f"{each.party} is {each.kind}"
            )
    for exclusion in facts.exclusions:
        condition = _condition(exclusion.party)
        yield (
            Statement(rule=Effect.DENY, conditions=frozenset({condition}))
            if condition
            else f"{exclusion.party} is shut out"
        )
    for mask in facts.masks:
        hidden = Condition(Attribute.UNIQUE_ID, mask.unique_id)
        yield (
            Statement(rule=Effect.DENY, conditions=frozenset({hidden}))
            if mask.profession == EVERYBODY
            else f"document {mask.unique_id} is hidden from {mask.profession}"
        )
    for emergency in facts.emergencies:
        if emergency.holds_at(now):
            yield f"{emergency.party} has access in an emergency until {emergency.until:%Y-%m-%d %H:%M} UTC"


def _condition(party: Party) -> Condition | None:
    kind, _, name = party.partition(":")
    if kind == "organization":
        return Condition(Attribute.ORGANIZATION_ID, f"urn:oid:{name}")
    return Condition(Attribute.NPI, name) if kind == "npi" else None
