"""What the statements of a consent document do to a record; one that nothing here can enforce is refused.

The record's rights know parties, whole records, and single documents. A statement becomes one of them if it says just
that: a permission for certain documents only, or for one purpose, would open more than the patient wrote.
"""

from dataclasses import dataclass
from datetime import datetime

from consent.model import Party, organization, professional
from consent.statements import (
    EVERY_ACCESS,
    Access,
    Attribute,
    ConsentDocument,
    Definitions,
    Effect,
    InstanceIdentifier,
    Statement,
    Value,
    spell_out,
    unsupported,
)
from ihe.citations import Citation
from ihe.errors import Breach, Rejected
from ihe.identifiers import UniqueId, is_oid


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """The patient agrees to sharing with those who take part in the care, until a moment or until it is ended."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CloseRecord:
    """The patient objects to sharing."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """A party takes part in the care, until a moment or until it is ended."""

    party: Party
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShutOut:
    """A party sees nothing."""

    party: Party


@dataclass(frozen=True, slots=True)
class Hide:
    """No professional sees a document."""

    unique_id: UniqueId


Deed = OpenRecord | CloseRecord | LetIn | ShutOut | Hide
PARTIES = frozenset({Attribute.ORGANIZATION_ID, Attribute.NPI})
"""The attributes of the one who asks by which parties are known; a user id would need its issuer."""


def deeds(document: ConsentDocument, definitions: Definitions, now: datetime, citation: Citation) -> tuple[Deed, ...]:
    """What a document does, in its order and each thing once; Rejected with every statement that cannot be kept to."""
    statements, breaches = spell_out(document.statements, definitions, citation)
    found: dict[Deed, None] = {}
    refused = list(breaches)
    for statement in statements:
        if statement.rule is Effect.PERMIT and _is_over(statement, now):
            continue  # it allowed something once, and does nothing any more
        try:
            found[_deed(statement, definitions.professionals, now)] = None
        except _Unenforceable as reason:
            refused.append(_refusal(statement, str(reason), citation))
    if refused:
        raise Rejected(*refused)
    return tuple(found)


class _Unenforceable(ValueError):
    """Why a statement cannot be kept to."""


def _deed(statement: Statement, professionals: str, now: datetime) -> Deed:
    if statement.period.start and statement.period.start > now:
        raise _Unenforceable("A consent applies from the day on which it is submitted, or earlier")
    if statement.rule is Effect.PERMIT:
        return _permission(statement, professionals)
    return _denial(statement, professionals)


def _permission(statement: Statement, professionals: str) -> Deed:
    """Opens the record, or begins a relationship; the domain's matrix says what that lets somebody see and add."""
    if statement.access != EVERY_ACCESS:
        raise _Unenforceable("A permission is for reading and writing, as far as the domain's policy allows either")
    if not statement.conditions:
        return OpenRecord(statement.period.end)
    return LetIn(_party(statement, professionals), statement.period.end)


def _denial(statement: Statement, professionals: str) -> Deed:
    """A denial of reading may deny writing as well, for that is narrower; one that ends would have to be lifted."""
    if statement.period.end:
        raise _Unenforceable("A denial holds until another consent replaces it: this one has an end")
    if Access.READ not in statement.access:
        raise _Unenforceable("A denial is of reading: whoever may not write might still have to read")
    if not statement.conditions:
        return CloseRecord()
    asked = {each.attribute for each in statement.conditions}
    if asked == {Attribute.UNIQUE_ID}:
        return Hide(UniqueId(str(_only(statement.values(Attribute.UNIQUE_ID)))))
    return ShutOut(_party(statement, professionals))


def _party(statement: Statement, professionals: str) -> Party:
    asked = {each.attribute for each in statement.conditions}
    if len(asked) != 1 or not asked <= PARTIES:
        known = "an organisation by its OID, a professional by the national number, or one document by its uniqueId"
        raise _Unenforceable(f"A rule is about {known}, and nothing else besides")
    (attribute,) = asked
    value = _only(statement.values(attribute))
    return _organization(value) if attribute is Attribute.ORGANIZATION_ID else _professional(value, professionals)


def _only(values: tuple[Value, ...]) -> Value:
    if len(values) != 1:
        raise _Unenforceable("A rule names one value of an attribute")
    return values[0]


def _organization(value: Value) -> Party:
    if not is_oid(str(value).removeprefix("urn:oid:")):
        raise _Unenforceable("An organisation is named by its OID")
    return organization(str(value))


def _professional(value: Value, professionals: str) -> Party:
    """The same number may be another person's elsewhere, so that whoever names an authority names the domain's."""
    if not isinstance(value, InstanceIdentifier):
        return professional(str(value))
    if value.root != professionals or not value.extension:
        raise _Unenforceable(f"A professional's number is one of this domain's, under {professionals or 'no OID'}")
    return professional(value.extension)


def _is_over(statement: Statement, now: datetime) -> bool:
    return statement.period.end is not None and statement.period.end <= now


def _refusal(statement: Statement, text: str, citation: Citation) -> Breach:
    asked = "; ".join(sorted(map(str, statement.conditions)))
    rule = statement.rule.value if isinstance(statement.rule, Effect) else statement.rule.id
    return unsupported(text, rule, citation, observed=asked or "no condition")
