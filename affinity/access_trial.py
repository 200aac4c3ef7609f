"""What a changed access policy would change, before it is used: both policies decide about everything that there is.

Who asks is not known beforehand, so somebody of each profession is imagined: with a relationship, without any; and the
patient, a representative, and a system that names nobody.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from affinity.access_documents import documents
from consent import store
from consent.case import Case, Described
from consent.decision import judge, stand
from consent.facts import Facts
from consent.model import Relationship, RelationshipKind, professional
from consent.policy import Policy
from ihe.datatypes import Code
from ihe.exchange import Principal
from ihe.identifiers import PatientKey, UniqueId
from pix.manager import PatientIndex
from xds.tables import document_entry

EXAMPLES = 20
IMAGINED = "imagined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One document that somebody would see, or would not see any more."""

    who: str
    patient: PatientKey
    unique_id: UniqueId
    gained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many documents each would gain and lose, of how many patients, with examples."""

    patients: int = 0
    documents: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    examples: list[Change] = field(default_factory=list)


def compare(connection: Connection, index: PatientIndex, policies: tuple[Policy, Policy], now: datetime) -> Outcome:
    """The policy in force, and the proposed one, over every patient who has documents."""
    outcome, patients, total = Outcome(), 0, 0
    for keys in _patients(connection, index):
        facts, held = store.facts(connection, keys).of(keys), tuple(documents(connection, keys))
        patients, total = patients + 1, total + len(held)
        for who, principal, imagined in _askers(policies, facts, keys[0], now):
            before, after = (_seen(policy, principal, imagined, held, now) for policy in policies)
            _note(outcome, who, keys[0], (before, after))
    return Outcome(
        patients=patients, documents=total, gained=outcome.gained, lost=outcome.lost, examples=outcome.examples
    )


def _patients(connection: Connection, index: PatientIndex) -> Iterator[tuple[PatientKey, ...]]:
    """Patients with documents, each once."""
    done: set[PatientKey] = set()
    keys = connection.execute(select(document_entry.c.patient_key).distinct().order_by(document_entry.c.patient_key))
    for key in keys.scalars().all():
        if key not in done:
            for ids in index.together(connection, [PatientKey(key)]):
                done.update(ids)
                yield ids


def _askers(
    policies: tuple[Policy, Policy], facts: Facts, key: PatientKey, now: datetime
) -> Iterator[tuple[str, Principal | None, Facts]]:
    yield "a system that names nobody", None, facts
    for kind in (RelationshipKind.PATIENT, RelationshipKind.REPRESENTATIVE):
        yield kind.value, _somebody(policies, frozenset(), own=True), _related(facts, key, kind, now)
    roles = {each.name: each.roles for policy in policies for each in policy.professions}
    for name, codes in sorted(roles.items()):
        asking = _somebody(policies, codes, own=False)
        yield f"{name} with a relationship", asking, _related(facts, key, RelationshipKind.PROFESSIONAL, now)
        yield f"{name} without one", asking, facts


def _somebody(policies: tuple[Policy, Policy], roles: frozenset[str], *, own: bool) -> Principal:
    purposes = {code for each in policies for code in (each.purposes.own if own else each.purposes.care)}
    return Principal(
        issuer=IMAGINED,
        assertion_id="",
        name_id=IMAGINED,
        npi=IMAGINED,
        roles=tuple(map(_code, sorted(roles))),
        purpose_of_use=tuple(map(_code, sorted(purposes))),
    )


def _code(text: str) -> Code:
    code, _, scheme = text.partition("^^")
    return Code(code, scheme)


def _related(facts: Facts, key: PatientKey, kind: RelationshipKind, now: datetime) -> Facts:
    """The facts, as if the imagined person had to do with the patient."""
    imagined = Relationship(number=0, key=key, party=professional(IMAGINED), kind=kind, since=now)
    return Facts(
        records=facts.records,
        relationships=(imagined,),
        exclusions=facts.exclusions,
        masks=facts.masks,
        emergencies=facts.emergencies,
    )


def _seen(
    policy: Policy, principal: Principal | None, facts: Facts, held: tuple[Described, ...], now: datetime
) -> Mapping[UniqueId, bool]:
    standing = stand(Case(policy=policy, principal=principal, facts=facts, now=now))
    return {each.unique_id: judge(standing, each)[0] for each in held}


def _note(
    outcome: Outcome, who: str, patient: PatientKey, seen: tuple[Mapping[UniqueId, bool], Mapping[UniqueId, bool]]
) -> None:
    before, after = seen
    for unique_id, saw in before.items():
        if saw == after[unique_id]:
            continue
        counts = outcome.lost if saw else outcome.gained
        counts[who] += 1
        if len(outcome.examples) < EXAMPLES:
            outcome.examples.append(Change(who=who, patient=patient, unique_id=unique_id, gained=not saw))
