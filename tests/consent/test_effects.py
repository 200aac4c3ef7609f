"""What statements do to a record: just what they say, or they are refused."""

from datetime import UTC, datetime, timedelta

import pytest

from consent.effects import CloseRecord, Deed, Hide, LetIn, OpenRecord, ShutOut, deeds
from consent.model import organization, professional
from consent.statements import (
    EVERY_ACCESS,
    Access,
    Attribute,
    Condition,
    ConsentDocument,
    Definitions,
    Effect,
    InstanceIdentifier,
    Period,
    PolicyId,
    Statement,
    Value,
)
from ihe.citations import tf3
from ihe.datatypes import CX, HD, Code
from ihe.errors import Rejected
from ihe.identifiers import UniqueId

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PERMIT, DENY = Effect.PERMIT, Effect.DENY
NUMBERS = "1.3.6.1.4.1.21367.13.30"
SHARE, CLOSE = PolicyId("share", "2.25.46"), PolicyId("urn:close")
KNOWN = Definitions(((SHARE, (Statement(rule=PERMIT),)), (CLOSE, (Statement(rule=DENY),))), NUMBERS)


def rule(effect: Effect | PolicyId, access: frozenset[Access] = EVERY_ACCESS, **said: Value) -> Statement:
    conditions = frozenset(Condition(Attribute[name], value) for name, value in said.items())
    return Statement(rule=effect, conditions=conditions, access=access)


def during(statement: Statement, start: datetime | None, end: datetime | None = None) -> Statement:
    return statement.narrowed(Statement(rule=statement.rule, period=Period(start, end)))


def done(*statements: Statement) -> tuple[Deed, ...]:
    patient = CX("1", HD("", "1.2", "ISO"))
    document = ConsentDocument(id="7", patients=(patient,), statements=statements)
    return deeds(document, KNOWN, NOW, tf3("5.1"))


HOSPITAL = "urn:oid:2.999.2.1"
DOES = [
    (rule(PERMIT), OpenRecord()),
    (rule(DENY), CloseRecord()),
    (rule(DENY, frozenset({Access.READ})), CloseRecord()),
    (during(rule(PERMIT), None, NOW + DAY), OpenRecord(NOW + DAY)),
    (rule(SHARE), OpenRecord()),
    (rule(PolicyId("share")), OpenRecord()),
    (rule(CLOSE, ORGANIZATION_ID=HOSPITAL), ShutOut(organization("2.999.2.1"))),
    (rule(DENY, ORGANIZATION_ID=InstanceIdentifier("2.999.2.1")), ShutOut(organization("2.999.2.1"))),
    (rule(DENY, NPI="90000022"), ShutOut(professional("90000022"))),
    (rule(PERMIT, NPI=InstanceIdentifier(NUMBERS, "90000022")), LetIn(professional("90000022"))),
    (during(rule(PERMIT, NPI="9"), NOW - DAY, NOW + DAY), LetIn(professional("9"), NOW + DAY)),
    (rule(DENY, UNIQUE_ID="1.2.3"), Hide(UniqueId("1.2.3"))),
]


@pytest.mark.parametrize(("statement", "deed"), DOES)
def test_a_statement_does_what_it_says(statement: Statement, deed: Deed) -> None:
    assert done(statement) == (deed,)


CATEGORY = Code("A", "1.2")
BROADER = {
    "a permission to read": rule(PERMIT, frozenset({Access.READ})),
    "a permission for later": during(rule(PERMIT, NPI="9"), NOW + DAY),
    "a permission for one category": rule(PERMIT, CLASS_CODE=CATEGORY),
    "a permission for one document": rule(PERMIT, UNIQUE_ID="1.2"),
    "a permission for one purpose": rule(PERMIT, ORGANIZATION_ID=HOSPITAL, PURPOSE_OF_USE=CATEGORY),
    "a permission for one role of an organisation": rule(PERMIT, ORGANIZATION_ID=HOSPITAL, ROLE=CATEGORY),
    "a permission by the name of an organisation": rule(PERMIT, ORGANIZATION="Clinic"),
    "an organisation by something else": rule(PERMIT, ORGANIZATION_ID="urn:lu:clinic"),
    "a user of an unknown issuer": rule(PERMIT, USER_ID="j.smith"),
    "the number of another country": rule(PERMIT, NPI=InstanceIdentifier("1.2.250.1.71.4.2.1", "90000022")),
    "a permission to collect": rule(PERMIT, frozenset({Access.WRITE}), SOURCE_SYSTEM_ID="1.2"),
    "a folder": rule(PERMIT, NPI="9", RELATED_FOLDER_CODE=CATEGORY),
    "a denial of writing": rule(DENY, frozenset({Access.WRITE})),
    "a denial that ends": during(rule(DENY), None, NOW + DAY),
    "a denial that has ended": during(rule(DENY), None, NOW - DAY),
    "a denial of one category": rule(DENY, CLASS_CODE=CATEGORY),
    "a denial for one role": rule(DENY, ROLE=CATEGORY),
    "a policy of another domain": rule(PolicyId("urn:example:policy:extensive-access")),
    "a policy of another scheme": rule(PolicyId("share", "2.25.47")),
}


@pytest.mark.parametrize("name", BROADER)
def test_what_would_be_more_than_the_patient_wrote_is_refused(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        done(BROADER[name])
    (breach,) = caught.value.breaches
    assert breach.text and breach.observed and breach.citation


def test_one_statement_that_is_refused_refuses_them_all() -> None:
    with pytest.raises(Rejected) as caught:
        done(rule(DENY, ORGANIZATION_ID=HOSPITAL), rule(PERMIT, USER_ID="x"), rule(DENY, ROLE=CATEGORY))
    assert len(caught.value.breaches) == 2


def test_a_permission_that_is_over_does_nothing() -> None:
    assert done(during(rule(PERMIT, NPI="9"), None, NOW), rule(DENY)) == (CloseRecord(),)
