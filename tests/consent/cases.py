"""Random policies, people, facts and documents, small enough that everything meets everything."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from consent.facts import Facts
from consent.model import (
    Emergency,
    Exclusion,
    Mask,
    Party,
    Record,
    RecordState,
    Relationship,
    RelationshipKind,
    organization,
    person,
    professional,
)
from consent.policy import (
    Category,
    Covers,
    EmergencyRules,
    Mode,
    Policy,
    Profession,
    Purposes,
    WithoutAssertion,
)
from ihe.datatypes import Code
from ihe.exchange import Principal
from ihe.identifiers import PatientKey, UniqueId

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CLASSES, TYPES = ("LAB^^1.1", "IMG^^1.1", "MED^^1.1"), ("A^^1.2", "B^^1.2", "C^^1.2")
LEVELS = {"N": "N^^1.3", "R": "R^^1.3", "V": "V^^1.3"}
CONFIDENTIALITY = (*LEVELS.values(), "HIV^^1.4")
ROLES = ("doctor^^1.5", "nurse^^1.5", "clerk^^1.5")
CARE, EMERGENCY, OWN = "TREAT^^1.6", "ETREAT^^1.6", "PATRQT^^1.6"
NPIS, OIDS, ISSUER = ("11", "110"), ("1.7.1", "1.7.2"), "urn:idp"
PARTIES: tuple[Party, ...] = (
    *(professional(each) for each in NPIS),
    *(organization(each) for each in OIDS),
    person("lea", ISSUER),
)
AUTHORS = ("11^Weber^Anna", "110^Muster^Jean", "^GLIMS", "11")


def some(*values: Any) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values))


NAMES = ("laboratory", "imaging", "secret", "other", "*")


@st.composite
def professions(draw: st.DrawFn, name: str, role: str) -> Profession:
    return Profession(
        name=name,
        roles=frozenset({role}),
        reads=draw(some(*NAMES)),
        writes=draw(some(*NAMES)),
        levels=draw(some("N", "R", "V")),
        adds_for_anybody=draw(st.booleans()),
    )


policies = st.builds(
    Policy,
    mode=st.just(Mode.DSP),
    categories=st.just(
        (
            Category(name="laboratory", class_codes=frozenset({CLASSES[0]}), type_codes=frozenset({TYPES[0]})),
            Category(name="imaging", class_codes=frozenset({CLASSES[1]})),
            Category(name="secret", type_codes=frozenset({TYPES[1]})),
        )
    ),
    confidentiality=st.just({level: frozenset({code}) for level, code in LEVELS.items()}),
    professions=st.tuples(professions("doctor", ROLES[0]), professions("nurse", ROLES[1])),
    author=st.sampled_from(Covers),
    emergency=st.builds(
        EmergencyRules,
        professions=some("doctor", "nurse"),
        purposes=st.just(frozenset({EMERGENCY})),
        level=st.sampled_from("NRV"),
        reads=some(*NAMES),
        shows_masked=st.booleans(),
    ),
    without_assertion=st.builds(WithoutAssertion, reads=st.booleans(), writes=st.booleans()),
    without_record=st.booleans(),
    purposes=st.sampled_from([Purposes(), Purposes(care=frozenset({CARE}), own=frozenset({OWN}))]),
)


def _codes(*texts: str) -> st.SearchStrategy[tuple[Code, ...]]:
    return st.lists(st.sampled_from([Code(*each.split("^^")) for each in texts]), max_size=2).map(tuple)


principals = st.none() | st.builds(
    Principal,
    issuer=st.just(ISSUER),
    assertion_id=st.just("_1"),
    name_id=st.sampled_from(["lea", "anna"]),
    npi=st.none() | st.sampled_from(NPIS),
    organization_id=st.lists(st.sampled_from([f"urn:oid:{OIDS[0]}", OIDS[1]]), max_size=1).map(tuple),
    roles=_codes(*ROLES),
    purpose_of_use=_codes(CARE, CARE, EMERGENCY, OWN),
)
times = st.sampled_from([NOW - 2 * DAY, NOW - DAY, NOW, NOW + DAY])


def likely(values: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Three times in four one of the first: so that there is something to see, and something hidden beside it."""
    return st.integers(0, 3).flatmap(lambda n: values if n else other)


DOCTOR_LINE = Profession(
    name="doctor", roles=frozenset({ROLES[0]}), reads=frozenset({"laboratory", "other"}), writes=frozenset({"*"})
)
lively_policies = st.sampled_from(
    [
        Policy(
            mode=Mode.DSP,
            categories=(
                Category(name="laboratory", class_codes=frozenset({CLASSES[0]}), type_codes=frozenset({TYPES[0]})),
                Category(name="secret", type_codes=frozenset({TYPES[1]})),
            ),
            confidentiality={level: frozenset({code}) for level, code in LEVELS.items()},
            professions=(DOCTOR_LINE,),
            author=author,
            emergency=EmergencyRules(purposes=frozenset({EMERGENCY}), level="R"),
        )
        for author in Covers
    ]
)
"""Few, so that statements are found again."""
anna = Principal(
    issuer=ISSUER,
    assertion_id="_1",
    name_id="anna",
    npi=NPIS[0],
    organization_id=(OIDS[0],),
    roles=(Code("doctor", "1.5"),),
    purpose_of_use=(Code("TREAT", "1.6"), Code("ETREAT", "1.6")),
)


def lively_facts(keys: tuple[PatientKey, ...], documents: tuple[UniqueId, ...]) -> st.SearchStrategy[Facts]:
    """Facts beside which Anna treats the patients with some of the keys, whose records are open."""

    def lively(facts: Facts, treated: frozenset[PatientKey]) -> Facts:
        opened = tuple(Record(key=key, under=key, state=RecordState.OPEN, since=NOW - DAY, event=100) for key in keys)
        related = tuple(
            Relationship(
                number=1,
                key=key,
                party=professional(NPIS[0]),
                kind=RelationshipKind.TREATING_DOCTOR,
                since=NOW - DAY,
            )
            for key in sorted(treated)
        )
        return Facts(
            records=opened,
            relationships=(*facts.relationships, *related),
            exclusions=(),
            masks=facts.masks,
            emergencies=facts.emergencies,
        )

    return st.builds(lively, facts_of(keys, documents), st.frozensets(st.sampled_from(keys), min_size=1))


def facts_of(keys: tuple[PatientKey, ...], documents: tuple[UniqueId, ...]) -> st.SearchStrategy[Facts]:
    """What may have been said of these ids; states are open more often than not."""
    key = st.sampled_from(keys)
    states = st.sampled_from([RecordState.OPEN] * 4 + list(RecordState))
    return st.builds(
        Facts,
        records=st.lists(
            st.builds(
                Record,
                key=key,
                under=key,
                state=states,
                since=st.just(NOW - DAY),
                event=st.integers(1, 99),
                opens_at=st.none() | times,
            ),
            max_size=2,
        ).map(tuple),
        relationships=st.lists(
            st.builds(
                Relationship,
                number=st.just(0),
                key=key,
                party=st.sampled_from(PARTIES),
                kind=st.sampled_from(RelationshipKind),
                since=st.just(NOW - 2 * DAY),
                until=st.none() | times,
            ),
            max_size=3,
        ).map(tuple),
        exclusions=st.lists(
            st.builds(
                Exclusion,
                number=st.just(0),
                key=key,
                party=st.sampled_from(PARTIES),
                lifted_under=st.none() | key,
            ),
            max_size=1,
        ).map(tuple),
        masks=st.lists(
            st.builds(
                Mask,
                number=st.just(0),
                key=key,
                unique_id=st.sampled_from(documents) if documents else st.just(UniqueId("1.9")),
                profession=st.sampled_from(["*", "doctor", "nurse"]),
                lifted_under=st.none() | key,
            ),
            max_size=2,
        ).map(tuple),
        emergencies=st.lists(
            st.builds(
                Emergency,
                number=st.just(0),
                key=key,
                party=st.sampled_from(PARTIES),
                since=st.just(NOW - 2 * DAY),
                until=times,
                level=st.sampled_from("NRV"),
                reason=st.just("coma"),
            ),
            max_size=1,
        ).map(tuple),
    )
