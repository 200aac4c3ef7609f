"""Who sees what, and why: the rules one by one, then what holds of all of them."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consent.case import Case, Described, Effect, Standing
from consent.decision import judge, may_break_glass, stand
from consent.facts import Facts
from consent.model import (
    Emergency,
    Exclusion,
    Mask,
    Record,
    RecordState,
    Relationship,
    RelationshipKind,
    organization,
    professional,
)
from consent.policy import Category, Covers, EmergencyRules, Mode, Policy, Profession, Purposes
from ihe.datatypes import Code
from ihe.exchange import Principal
from ihe.identifiers import PatientKey, UniqueId
from tests.consent.cases import (
    CARE,
    CLASSES,
    CONFIDENTIALITY,
    DAY,
    EMERGENCY,
    LEVELS,
    NOW,
    OIDS,
    OWN,
    ROLES,
    TYPES,
    facts_of,
    policies,
    principals,
)

KEY = PatientKey(1)
DOCTOR = Profession(name="doctor", roles=frozenset({ROLES[0]}), reads=frozenset({"*"}), levels=frozenset("NR"))
NURSE = Profession(name="nurse", roles=frozenset({ROLES[1]}), reads=frozenset({"laboratory"}))
POLICY = Policy(
    mode=Mode.DSP,
    categories=(Category(name="laboratory", class_codes=frozenset({CLASSES[0]})),),
    confidentiality={level: frozenset({code}) for level, code in LEVELS.items()},
    professions=(DOCTOR, NURSE),
    author=Covers.PERSON,
    emergency=EmergencyRules(professions=frozenset({"doctor"}), purposes=frozenset({EMERGENCY}), level="R"),
    purposes=Purposes(care=frozenset({CARE}), own=frozenset({OWN})),
)
ANNA = Principal(
    issuer="urn:idp",
    assertion_id="_1",
    name_id="anna",
    npi="11",
    organization_id=(f"urn:oid:{OIDS[0]}",),
    roles=(Code(*ROLES[0].split("^^")),),
    purpose_of_use=(Code(*CARE.split("^^")),),
)
OPEN_RECORD = Record(key=KEY, under=KEY, state=RecordState.OPEN, since=NOW - DAY)
REPORT = Described(
    key=KEY,
    unique_id=UniqueId("1.1"),
    class_code=CLASSES[0],
    type_code=TYPES[0],
    confidentiality=("N^^1.3",),
    authors=("^GLIMS",),
)


def related(kind: RelationshipKind = RelationshipKind.TREATING_DOCTOR, party: str = "npi:11") -> Relationship:
    return Relationship(number=1, key=KEY, party=professional(party[4:]), kind=kind, since=NOW - DAY)


def case(principal: Principal | None = ANNA, policy: Policy = POLICY, **said: object) -> Case:
    known = {"records": (OPEN_RECORD,), "relationships": (related(),)} | said
    return Case(policy=policy, principal=principal, facts=Facts(**known), now=NOW)  # type: ignore[arg-type]


def sees(asked: Case, document: Described = REPORT) -> bool:
    return judge(stand(asked), document)[0]


def purpose(code: str, display: str = "") -> Principal:
    value, _, scheme = code.partition("^^")
    return replace(ANNA, purpose_of_use=(Code(value, scheme, display),))


def test_a_treating_doctor_sees_a_report_and_a_stranger_does_not() -> None:
    assert sees(case())
    assert not sees(case(relationships=()))


def test_the_organisation_may_be_what_is_related() -> None:
    ward = replace(related(), party=organization(OIDS[0]), kind=RelationshipKind.PROFESSIONAL)
    assert sees(case(relationships=(ward,)))


def test_the_matrix_decides_by_kind_and_confidentiality() -> None:
    nurse = replace(ANNA, roles=(Code(*ROLES[1].split("^^")),))
    assert sees(case(nurse))
    assert not sees(case(nurse), replace(REPORT, class_code=CLASSES[1]))
    assert not sees(case(nurse), replace(REPORT, confidentiality=("R^^1.3",)))
    assert sees(case(), replace(REPORT, confidentiality=("R^^1.3",)))
    assert not sees(case(), replace(REPORT, confidentiality=("N^^1.3", "V^^1.3")))
    assert not sees(case(), replace(REPORT, confidentiality=()))


def test_only_an_open_record_lets_professionals_in() -> None:
    for state in RecordState:
        record = replace(OPEN_RECORD, state=state, opens_at=NOW + DAY)
        assert sees(case(records=(record,))) is (state is RecordState.OPEN)
    assert sees(case(records=(replace(OPEN_RECORD, state=RecordState.WAITING, opens_at=NOW),)))
    assert not sees(case(records=()))


def test_whom_the_patient_excluded_sees_nothing() -> None:
    for party in (professional("11"), organization(OIDS[0])):
        assert not sees(case(exclusions=(Exclusion(number=1, key=KEY, party=party),)))


def test_the_patient_sees_what_is_masked_and_what_is_closed() -> None:
    account = replace(related(), kind=RelationshipKind.PATIENT)
    masks = (Mask(number=1, key=KEY, unique_id=REPORT.unique_id),)
    closed = (replace(OPEN_RECORD, state=RecordState.CLOSED),)
    assert sees(case(purpose(OWN), relationships=(account,), masks=masks, records=closed))
    assert not sees(case(masks=masks))
    deleted = (replace(OPEN_RECORD, state=RecordState.DELETED),)
    assert not sees(case(purpose(OWN), relationships=(account,), records=deleted))


def test_a_mask_for_one_profession_is_for_that_one() -> None:
    masks = (Mask(number=1, key=KEY, unique_id=REPORT.unique_id, profession="nurse"),)
    assert sees(case(masks=masks))
    assert not sees(case(replace(ANNA, roles=(Code(*ROLES[1].split("^^")),)), masks=masks))


def test_the_author_sees_their_own_document_without_a_relationship() -> None:
    own = replace(REPORT, authors=("11^Weber^Anna",), confidentiality=("V^^1.3",))
    assert sees(case(relationships=()), own)
    assert not sees(case(relationships=()), replace(own, authors=("110^Weber^Anna",)))
    assert not sees(case(relationships=(), policy=replace(POLICY, author=Covers.NOBODY)), own)


def test_an_emergency_opens_the_record_for_one_person_for_a_time() -> None:
    glass = Emergency(
        number=1, key=KEY, party=professional("11"), since=NOW - DAY, until=NOW + DAY, level="R", reason="coma"
    )
    assert may_break_glass(case(purpose(EMERGENCY), relationships=()))
    assert not may_break_glass(case(relationships=()))
    assert sees(case(purpose(EMERGENCY), relationships=(), emergencies=(glass,)))
    assert not sees(case(relationships=(), emergencies=(glass,)))
    assert not sees(case(purpose(EMERGENCY), relationships=(), emergencies=(replace(glass, until=NOW),)))
    colleague = replace(purpose(EMERGENCY), npi="110", name_id="jean")
    assert not sees(case(colleague, relationships=(), emergencies=(glass,)))
    secret = replace(REPORT, confidentiality=("V^^1.3",))
    assert not sees(case(purpose(EMERGENCY), relationships=(), emergencies=(glass,)), secret)


def test_a_purpose_that_the_policy_does_not_name_lets_nobody_in() -> None:
    assert not sees(case(purpose("HPAYMT^^1.6")))
    assert not sees(case(replace(ANNA, purpose_of_use=())))


def test_a_role_that_the_policy_does_not_name_lets_nobody_in() -> None:
    assert not sees(case(replace(ANNA, roles=(Code(*ROLES[2].split("^^")),))))


def test_every_verdict_says_why() -> None:
    excluded = (Exclusion(number=1, key=KEY, party=professional("11")),)
    closed = (replace(OPEN_RECORD, state=RecordState.CLOSED),)
    reasons = stand(case(exclusions=excluded, records=closed)).reasons
    assert [(each.rule, each.effect) for each in reasons] == [("record", Effect.DENIES), ("exclusion", Effect.DENIES)]
    seen, why = judge(stand(case()), REPORT)
    assert seen and [(each.rule, each.effect) for each in why] == [
        ("doctor", Effect.ALLOWS),
        ("author", Effect.DENIES),
    ]


DOCUMENTS = st.builds(
    Described,
    key=st.just(KEY),
    unique_id=st.just(UniqueId("1.1")),
    class_code=st.none() | st.sampled_from(CLASSES),
    type_code=st.none() | st.sampled_from(TYPES),
    confidentiality=st.lists(st.sampled_from(CONFIDENTIALITY), max_size=2).map(tuple),
    authors=st.lists(st.sampled_from(("11^Weber", "110^Muster")), max_size=1).map(tuple),
)
FACTS = facts_of((KEY,), (UniqueId("1.1"),)).map(lambda facts: facts.of((KEY,)))


def standing(policy: Policy, principal: Principal | None, facts: Facts) -> Standing:
    return stand(Case(policy=policy, principal=principal, facts=facts, now=NOW))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(policies, principals, FACTS, DOCUMENTS)
def test_deny_overrides(policy: Policy, principal: Principal | None, facts: Facts, document: Described) -> None:
    """Another exclusion, another mask or a stricter state never shows more."""
    assume(judge(standing(policy, principal, facts), document)[0] is False)
    party = professional("11")
    stricter = [
        replace(facts, exclusions=(*facts.exclusions, Exclusion(number=9, key=KEY, party=party))),
        replace(facts, masks=(*facts.masks, Mask(number=9, key=KEY, unique_id=document.unique_id))),
        replace(facts, records=(replace(OPEN_RECORD, state=RecordState.CLOSED),)),
    ]
    for each in stricter:
        if each.records == facts.records or facts.records:
            assert not judge(standing(policy, principal, each), document)[0]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(policies, principals, FACTS, DOCUMENTS)
def test_default_deny(policy: Policy, principal: Principal | None, facts: Facts, document: Described) -> None:
    """Without any relationship, emergency or authorship nobody who is named sees anything."""
    assume(principal is not None)
    alone = replace(facts, relationships=(), emergencies=())
    nobody = replace(policy, author=Covers.NOBODY)
    assert not judge(standing(nobody, principal, alone), document)[0]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(policies, principals, FACTS, FACTS, DOCUMENTS)
def test_a_merge_shows_nothing_that_neither_showed(
    policy: Policy, principal: Principal | None, one: Facts, other: Facts, document: Described
) -> None:
    """Ids that become one patient: what is seen then was seen by what one of them had said."""
    second = PatientKey(2)
    theirs = Facts(
        **{
            name: tuple(
                replace(each, key=second, **({"under": second} if name == "records" else {}))
                for each in getattr(other, name)
            )
            for name in ("records", "relationships", "exclusions", "masks", "emergencies")
        }
    )
    both = Facts(
        **{
            name: (*getattr(one, name), *getattr(theirs, name))
            for name in ("records", "relationships", "exclusions", "masks", "emergencies")
        }
    ).of((KEY, second))
    if judge(standing(policy, principal, both), document)[0]:
        alone = [judge(standing(policy, principal, each), document)[0] for each in (one, theirs.of((second,)))]
        assert any(alone)
