"""What somebody may not see cannot be told from what is not there.

A state is compared with the same state without everything hidden, which this module works out by itself from the
sentences of ``xds.visibility``. As every state answers like its visible part, two states that differ in hidden things
alone answer alike. Every stored query, retrievals, replacements, and the limit on the size of an answer take part.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from affinity.database import Database
from consent.case import Case, Described, Standing
from consent.decision import judge, stand
from consent.facts import Facts
from consent.policy import Policy
from ihe.errors import Breach, Rejected
from ihe.exchange import Principal, SOAPRequest
from ihe.identifiers import EntryUUID, PatientKey, UniqueId, new_oid
from soap.xml import parse
from tests.consent import shelf
from tests.consent.cases import (
    AUTHORS,
    CLASSES,
    CONFIDENTIALITY,
    NOW,
    TYPES,
    anna,
    facts_of,
    likely,
    lively_facts,
    lively_policies,
    policies,
    principals,
)
from tests.consent.test_predicate import code, remember
from tests.xds.queries.conftest import make_association, make_entry, make_folder, make_submission_set
from xds import registry_query, stored_queries
from xds.adhoc_query import AdhocQuery, ReturnType
from xds.adhoc_query_response import encode
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import (
    Association,
    AssociationType,
    Author,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    ObjectType,
    RegistryObject,
    Submission,
    SubmissionSet,
)
from xds.query_parameters import QueryParameters
from xds.registry import DocumentRegistry
from xds.seeing import retrievable
from xds.stored_query import StoredQuery

KEYS = {"A": (PatientKey(1), PatientKey(3)), "B": (PatientKey(2),)}
IDS = {name: shelf.patient_id(name) for name in (*KEYS, "NOBODY")}
HAS_MEMBER, RPLC = AssociationType.HAS_MEMBER, AssociationType.RPLC
BOTH = tuple(AvailabilityStatus)
NOTHING = EntryUUID("urn:uuid:00000000-0000-4000-9000-000000000000")
WIRE = SOAPRequest(parse(b"<x/>"))


@dataclass(frozen=True)
class Placed:
    """An object in its row, and whose it is."""

    row: int
    key: PatientKey
    object: RegistryObject
    superseded: bool = False


@dataclass(frozen=True)
class State:
    """Everything that there is: the patients, what is registered, what was said."""

    patients: tuple[str, ...]
    placed: tuple[Placed, ...]
    facts: Facts

    def of(self, kind: type[RegistryObject]) -> list[Any]:
        return [each.object for each in self.placed if isinstance(each.object, kind)]

    def uuids(self) -> list[EntryUUID]:
        return [*(each.object.entry_uuid for each in self.placed), NOTHING]


@st.composite
def states(draw: st.DrawFn) -> State:
    """Some documents of two patients in SubmissionSets and Folders, with associations between them."""
    rows = count(1)
    uuids = (EntryUUID(f"urn:uuid:00000000-0000-4000-8000-{n:012}") for n in count(1))
    numbers = count(1)

    def made(key: PatientKey, each: RegistryObject, superseded: bool = False) -> Placed:
        named = {} if isinstance(each, Association) else {"unique_id": UniqueId(f"1.77.{next(numbers)}")}
        return Placed(next(rows), key, replace(each, entry_uuid=next(uuids), **named), superseded)  # type: ignore[arg-type]

    placed: list[Placed] = []
    for name, keys in KEYS.items():
        patient = IDS[name]
        sets = [made(keys[0], make_submission_set(patient)) for _ in range(draw(st.integers(1, 2)))]
        folders = [made(keys[-1], make_folder(patient)) for _ in range(draw(st.integers(0, 2)))]
        held = [made(draw(st.sampled_from(keys)), draw(documents(patient))) for _ in range(draw(st.integers(1, 4)))]
        if draw(st.booleans()):
            held += _versions(draw, held, made)
        placed += [*sets, *folders, *held]
        for each in (*folders, *held):
            placed.append(made(keys[0], make_association(HAS_MEMBER, draw(st.sampled_from(sets)).object, each.object)))
        for folder in folders:
            for each in draw(st.lists(st.sampled_from(held), max_size=2, unique_by=lambda each: each.row)):
                inside = made(keys[0], make_association(HAS_MEMBER, folder.object, each.object))
                placed += [inside, made(keys[0], make_association(HAS_MEMBER, sets[0].object, inside.object))]
        for _ in range(draw(st.integers(0, 2)) if len(held) > 1 else 0):
            one, other = draw(st.permutations(held))[:2]
            placed.append(made(keys[0], make_association(AssociationType.APND, one.object, other.object)))
    unique_ids = tuple(each.object.unique_id for each in placed if isinstance(each.object, DocumentEntry))
    keys = (*KEYS["A"], *KEYS["B"])
    facts = draw(likely(lively_facts(keys, unique_ids), facts_of(keys, unique_ids)))  # type: ignore[arg-type]
    return State(patients=tuple(KEYS), placed=tuple(placed), facts=facts)


def _versions(draw: st.DrawFn, held: list[Placed], made: Any) -> list[Placed]:
    """Make the first document a previous version of a new one, which may be more confidential."""
    first = held[0]
    newer = draw(documents(IDS["A"]))
    assert isinstance(first.object, DocumentEntry)
    latest = made(first.key, replace(newer, patient_id=first.object.patient_id))
    held[0] = replace(first, superseded=True, object=replace(first.object, availability_status=BOTH[1]))
    same = replace(latest.object, logical_id=first.object.entry_uuid, version=2, unique_id=first.object.unique_id)
    return [replace(latest, object=same)]


@st.composite
def documents(draw: st.DrawFn, patient: Any) -> DocumentEntry:
    return make_entry(
        patient,
        class_code=code(draw(st.sampled_from(CLASSES[:2]))),
        type_code=code(draw(st.sampled_from(TYPES[:2]))),
        confidentiality_code=(code(draw(st.sampled_from((*CONFIDENTIALITY[:1] * 4, *CONFIDENTIALITY)))),),
        author=tuple(Author(author_person=each) for each in draw(st.lists(st.sampled_from(AUTHORS), max_size=1))),
        availability_status=draw(st.sampled_from(BOTH)),
        object_type=draw(st.sampled_from([ObjectType.STABLE, ObjectType.STABLE, ObjectType.ON_DEMAND])),
        reference_id_list=("4711^^^&1.2&ISO^urn:ihe:iti:xds:2013:order",),
    )


def visible_part(state: State, policy: Policy, principal: Principal | None) -> State:
    """The state without everything hidden, worked out object by object."""
    standings = {name: _standing(state, policy, principal, keys) for name, keys in KEYS.items()}
    entries = {each.object.entry_uuid for each in state.placed if _is_seen(state, each, standings)}
    whole = {each.object.entry_uuid: each.object for each in state.placed}

    def linked(uuid: EntryUUID) -> bool:
        each = whole[uuid]
        if isinstance(each, DocumentEntry):
            return uuid in entries
        if isinstance(each, Folder):
            members = (one.target_object for one in state.of(Association) if one.source_object == uuid)
            return any(member in entries for member in members)
        if isinstance(each, Association):
            from_package = not isinstance(whole[each.source_object], DocumentEntry)
            return linked(each.target_object) and (from_package or linked(each.source_object))
        brought = (one for one in state.of(Association) if one.source_object == uuid)
        return any(linked(one.entry_uuid) for one in brought)

    placed = tuple(each for each in state.placed if linked(each.object.entry_uuid))
    shown = {each.object.unique_id for each in placed if isinstance(each.object, DocumentEntry)}
    known = tuple(name for name in KEYS if standings[name].grants or _wrote(placed, KEYS[name]))
    keys = {key for name in known for key in KEYS[name]}
    facts = Facts(
        records=tuple(each for each in state.facts.records if each.key in keys),
        relationships=tuple(each for each in state.facts.relationships if each.key in keys),
        exclusions=tuple(each for each in state.facts.exclusions if each.key in keys),
        masks=tuple(each for each in state.facts.masks if each.key in keys and each.unique_id in shown),
        emergencies=tuple(each for each in state.facts.emergencies if each.key in keys),
    )
    return State(patients=known, placed=placed, facts=facts)


def _standing(state: State, policy: Policy, principal: Principal | None, keys: tuple[PatientKey, ...]) -> Standing:
    return stand(Case(policy=policy, principal=principal, facts=state.facts.of(keys), now=NOW))


def _is_seen(state: State, placed: Placed, standings: dict[str, Standing]) -> bool:
    entry = placed.object
    if not isinstance(entry, DocumentEntry):
        return False
    name = next(name for name, keys in KEYS.items() if placed.key in keys)
    described = Described(
        key=placed.key,
        unique_id=UniqueId(entry.unique_id or ""),
        class_code=str(entry.class_code),
        type_code=str(entry.type_code),
        confidentiality=tuple(map(str, entry.confidentiality_code)),
        authors=tuple(each.author_person or "" for each in entry.author),
    )
    if not judge(standings[name], described)[0]:
        return False
    newer = [each for each in state.placed if getattr(each.object, "logical_id", None) == entry.entry_uuid]
    return not placed.superseded or any(_is_seen(state, each, standings) for each in newer)


def _wrote(placed: Iterable[Placed], keys: tuple[PatientKey, ...]) -> bool:
    return any(isinstance(each.object, DocumentEntry) and each.key in keys for each in placed)


@dataclass
class Node:
    """A registry in one of the states."""

    database: Database
    registry: DocumentRegistry

    def ask(self, query: StoredQuery, principal: Principal | None, **values: Any) -> object:
        """The answer as bytes, or the refusal with every word of it."""
        parameters = QueryParameters({f"${name}": (clause,) for name, clause in values.items()})
        asked = AdhocQuery(query=query, parameters=parameters, return_type=ReturnType.LEAF_CLASS)
        exchange = shelf.exchange(principal)
        try:
            answer = registry_query.handle(asked, self.registry, exchange)
        except Rejected as rejected:
            return told(rejected)
        return b"".join(encode(WIRE, answer, exchange).body)

    def retrieves(self, principal: Principal | None, ids: list[UniqueId]) -> set[UniqueId]:
        viewer = self.registry.access.viewer(shelf.exchange(principal))
        return set(self.database.read(lambda connection: retrievable(connection, viewer, "2.25.5", ids)))

    def replaces(self, principal: Principal | None, submission: Submission) -> object:
        viewer = self.registry.access.viewer(shelf.exchange(principal))
        try:
            self.registry.register(Decoded(submission, ()), Sender.XDS_DOCUMENT_REPOSITORY, viewer)
        except Rejected as rejected:
            return told(rejected)
        return "stored"


def told(rejected: Rejected) -> set[Breach]:
    return set(rejected.breaches)


def start(file: Path, template: Path, state: State, policy: Policy, most: int) -> Node:
    shutil.copy(template, file)
    database = Database(f"sqlite:///{file}")
    shelf.put(database, [(each.row, each.key, each.object, each.superseded) for each in state.placed])
    database.write(lambda connection: remember(connection, state.facts))
    index = shelf.Index({IDS[name]: KEYS[name] for name in state.patients})
    return Node(database=database, registry=shelf.registry(database, policy, index, most))


def questions(state: State, pick: Any) -> Iterator[tuple[StoredQuery, dict[str, Any]]]:
    """Every stored query, of patients, of all ids together, and of some one by one."""
    q = stored_queries
    types = tuple(ObjectType)
    for patient in IDS.values():
        for level in ((1,), (2,)):
            entries = {"XDSDocumentEntryStatus": BOTH, "XDSDocumentEntryType": types, "MetadataLevel": level}
            folders = {"XDSFolderStatus": BOTH, "MetadataLevel": level}
            yield q.FIND_DOCUMENTS, {"XDSDocumentEntryPatientId": (patient,), **entries}
            yield q.FIND_FOLDERS, {"XDSFolderPatientId": (patient,), **folders}
            yield q.GET_ALL, {"patientId": (patient,), "XDSSubmissionSetStatus": BOTH, **entries, **folders}
        yield q.FIND_SUBMISSION_SETS, {"XDSSubmissionSetPatientId": (patient,), "XDSSubmissionSetStatus": BOTH}
        reference = {"XDSDocumentEntryReferenceIdList": ("4711%",), "XDSDocumentEntryStatus": BOTH}
        yield q.FIND_DOCUMENTS_BY_REFERENCE_ID, {"XDSDocumentEntryPatientId": (patient,), **reference}
        late = {"XDSFolderLastUpdateTimeFrom": ("19700101000000",), "XDSFolderStatus": BOTH}
        yield q.FIND_FOLDERS, {"XDSFolderPatientId": (patient,), **late}
    codes = {"XDSDocumentEntryClassCode": tuple(map(code, CLASSES)), "XDSDocumentEntryStatus": BOTH}
    yield q.FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, codes
    yield (
        q.FIND_FOLDERS_FOR_MULTIPLE_PATIENTS,
        {"XDSFolderCodeList": (make_folder(IDS["A"]).code_list[0],), "XDSFolderStatus": BOTH},
    )
    uuids = tuple(state.uuids())
    for some in (uuids, *((pick(uuids),) for _ in range(2))):
        for level in ((1,), (2,)):
            yield q.GET_ASSOCIATIONS, {"uuid": some, "MetadataLevel": level}
            yield q.GET_SUBMISSION_SETS, {"uuid": some, "MetadataLevel": level}
            yield q.GET_DOCUMENTS, {"XDSDocumentEntryEntryUUID": some, "MetadataLevel": level}
            yield q.GET_DOCUMENTS, {"XDSDocumentEntryLogicalID": some, "MetadataLevel": level}
            yield q.GET_DOCUMENTS_AND_ASSOCIATIONS, {"XDSDocumentEntryEntryUUID": some, "MetadataLevel": level}
            yield q.GET_FOLDERS, {"XDSFolderEntryUUID": some, "MetadataLevel": level}
    entries_and_none = [*(each.entry_uuid for each in state.of(DocumentEntry)), NOTHING]
    for _ in range(2):
        one = {"XDSDocumentEntryEntryUUID": (pick(entries_and_none),)}
        yield q.GET_FOLDERS_FOR_DOCUMENT, one
        every = {"AssociationTypes": tuple(AssociationType), "XDSDocumentEntryType": types}
        yield q.GET_RELATED_DOCUMENTS, {**one, **every, "MetadataLevel": (2,)}
    for each in state.of(SubmissionSet):
        yield q.GET_SUBMISSION_SET_AND_CONTENTS, {"XDSSubmissionSetEntryUUID": (each.entry_uuid,)}
    for each in state.of(Folder):
        yield q.GET_FOLDER_AND_CONTENTS, {"XDSFolderUniqueId": (each.unique_id,)}


def replacement(number: int, name: str, target: EntryUUID, kind: AssociationType) -> Submission:
    """A new document that replaces, or is appended to, another."""
    patient = IDS[name]
    entry = replace(
        make_entry(patient, class_code=code(CLASSES[0]), type_code=code(TYPES[2])),
        entry_uuid=EntryUUID("Document01"),
        unique_id=UniqueId(f"1.88.{number}"),
        source_patient_info=("PID-3|P-77^^^&2.25.102&ISO",),
    )
    submission_set = replace(
        make_submission_set(patient), entry_uuid=EntryUUID("Set01"), unique_id=UniqueId(f"1.89.{number}")
    )
    member = replace(make_association(HAS_MEMBER, submission_set, entry), entry_uuid=EntryUUID("member"))
    link = replace(make_association(kind, entry, entry), entry_uuid=EntryUUID("link"), target_object=target)
    return Submission(submission_set=submission_set, document_entries=(entry,), associations=(member, link))


@pytest.mark.timeout(600)
@settings(
    max_examples=16,
    deadline=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    state=states(),
    policy=likely(lively_policies, policies),
    principal=likely(st.just(anna), principals),
    most=st.sampled_from([1, 3, 2000]),
    chance=st.integers(0, 2**32).map(Random),
)
def test_a_state_answers_like_its_visible_part(
    sqlite_template: Path, tmp_path: Path, state: State, policy: Policy, principal: Any, most: int, chance: Random
) -> None:
    part = visible_part(state, policy, principal)
    whole = start(tmp_path / f"{new_oid()}.db", sqlite_template, state, policy, most)
    trimmed = start(tmp_path / f"{new_oid()}.db", sqlite_template, part, policy, most)
    asked = list(questions(state, lambda some: chance.choice(list(some))))
    ids = [UniqueId(each.unique_id) for each in state.of(DocumentEntry)] + [UniqueId("1.404")]
    try:
        for query, values in asked:
            answers = [node.ask(query, principal, **values) for node in (whole, trimmed)]
            assert answers[0] == answers[1], (query.name, values)
        assert whole.retrieves(principal, ids) == trimmed.retrieves(principal, ids)
        targets = [*(each.entry_uuid for each in state.of(DocumentEntry)), NOTHING]
        for number in range(3):
            target, name = chance.choice(targets), chance.choice(sorted(IDS))
            kind = chance.choice([RPLC, AssociationType.APND, AssociationType.XFRM])
            sent = replacement(number, name, target, kind)
            if _adds_blindly(state, part, policy, principal, name):
                continue
            assert whole.replaces(principal, sent) == trimmed.replaces(principal, sent)
        for query, values in asked[:12]:
            answers = [node.ask(query, principal, **values) for node in (whole, trimmed)]
            assert answers[0] == answers[1], ("afterwards", query.name, values)
    finally:
        whole.database.close()
        trimmed.database.close()


def _adds_blindly(state: State, part: State, policy: Policy, principal: Principal | None, name: str) -> bool:
    """Claim that the person may add to a record of which they see nothing: that it takes documents they do learn."""
    return name in KEYS and name not in part.patients and bool(_standing(state, policy, principal, KEYS[name]).adds)
