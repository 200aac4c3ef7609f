"""From consent to query: what a patient submits decides what the next query shows, in a node of the demo domain."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from affinity.domain import load
from affinity.domain_model import LoadedDomain
from affinity.node import Node, open_node
from affinity.settings import Settings
from consent import recording
from consent.model import Act, RelationshipKind, organization, person
from ihe.datatypes import CX, HD, Code
from ihe.errors import ErrorCode, Rejected
from ihe.exchange import Exchange, Principal, SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId, new_oid
from ihe.transactions import Actor
from pix.model import Demographics, Feed, Identifier, Origin, PersonName
from soap.xml import parse
from tests.consent.stage import APPC, APPC_CONSENT
from tests.consent.stage import submission as made
from xds.adhoc_query import AdhocQuery, ReturnType, write
from xds.ebrim import decode_objects
from xds.ebrim_writing import encode
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.model import DocumentEntry
from xds.query_parameters import Clause, QueryParameters
from xds.stored_queries import FIND_DOCUMENTS

ROLES = "2.25.185014298127404816031548209217553690417"
ACTS, LOINC = "2.16.840.1.113883.5.8", "2.16.840.1.113883.6.1"
CLASSES = "1.3.6.1.4.1.19376.1.2.6.1"
HOSPITAL = "2.25.334728459024254970897405965636283403456.4.11"
DOCTOR = Principal(
    issuer="urn:idp",
    assertion_id="_1",
    name_id="nora",
    organization_id=(f"urn:oid:{HOSPITAL}",),
    roles=(Code("treating-doctor", ROLES),),
    purpose_of_use=(Code("TREAT", ACTS),),
    npi="90000022",
)
ANNA = Principal(
    issuer="urn:idp",
    assertion_id="_2",
    name_id="anna",
    roles=(Code("patient", ROLES),),
    purpose_of_use=(Code("PATRQT", ACTS),),
)


class Scene:
    """A node, a patient who has an open record, and a hospital that treats her."""

    def __init__(self, node: Node, loaded: LoadedDomain) -> None:
        self.node = node
        self.codes = loaded.affinity_domain.codes
        authority = next(each for each in loaded.affinity_domain.assigning_authorities if each.issues_xds_ids)
        self.patient = CX("CH-1", HD("", authority.oid, "ISO"))
        who = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515", sex="F")
        feed = Feed(identifiers=(Identifier(authority=authority, id="CH-1"),), demographics=who)
        origin = Origin(source="HIS|H", message_id="1", digest="1", answer=b"AA", transaction="ITI-30")
        index = node.ports[Actor.PIX_MANAGER]
        index.register(feed, origin)
        act = Act(actor="desk", reason="arrival", at=datetime.now(UTC))

        def said(connection: Any) -> None:
            patient = index.resolve(connection, self.patient)
            recording.open_record(connection, patient, act)
            recording.relate(connection, patient, organization(HOSPITAL), RelationshipKind.PROFESSIONAL, act)
            recording.relate(connection, patient, person("anna", "urn:idp"), RelationshipKind.PATIENT, act)

        node.database.write(said)

    def submit(self, text: str, who: Principal, format: str, type_code: Code, class_code: Code) -> UniqueId:
        """Provide and register a document with codes of the domain."""
        entry, sent = made(format, None, "CH-1")
        any_code = {name: sorted(self.codes[name], key=str)[0] for name in self.codes}
        own = replace(
            entry,
            unique_id=UniqueId(new_oid()),
            patient_id=self.patient,
            source_patient_id=self.patient,
            class_code=class_code,
            type_code=type_code,
            healthcare_facility_type_code=any_code["healthcareFacilityTypeCode"],
            practice_setting_code=any_code["practiceSettingCode"],
            language_code="fr-LU",
        )
        submission_set = replace(
            sent.submission_set,
            patient_id=self.patient,
            unique_id=UniqueId(new_oid()),
            content_type_code=any_code["contentTypeCode"],
        )
        whole = replace(sent, submission_set=submission_set, document_entries=(own,))
        data = base64.b64encode(text.encode()).decode()
        body = (
            '<ProvideAndRegisterDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">'
            f'{encode(whole).decode()}<Document id="{own.entry_uuid}">{data}</Document>'
            "</ProvideAndRegisterDocumentSetRequest>"
        )
        wire = SOAPRequest(parse(body.encode()))
        ITI_41.handle(ITI_41.decode(wire), self.node.ports[Actor.DOCUMENT_REPOSITORY], exchange(who))
        assert own.unique_id
        return own.unique_id

    def report(self) -> UniqueId:
        """A laboratory report by the treating doctor."""
        format = "urn:ihe:iti:xds:2017:mimeTypeSufficient"
        return self.submit("potassium", DOCTOR, format, Code("11502-2", LOINC, "x"), Code("REPORTS", CLASSES, "x"))

    def consent(self, text: str) -> UniqueId:
        """A consent by the patient."""
        return self.submit(text, ANNA, APPC, Code("57016-8", LOINC, "x"), Code("PATIENT", CLASSES, "x"))

    def seen(self, who: Principal) -> list[str]:
        """The documents that FindDocuments shows; whoever is shut out does not know the patient."""
        status = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
        said: dict[str, Clause] = {
            "$XDSDocumentEntryPatientId": (str(self.patient),),
            "$XDSDocumentEntryStatus": (status,),
        }
        parameters = QueryParameters({name: (clause,) for name, clause in said.items()})
        asked = AdhocQuery(query=FIND_DOCUMENTS, parameters=parameters, return_type=ReturnType.LEAF_CLASS)
        wire = SOAPRequest(parse(b"".join(write(asked))))
        around, registry = exchange(who), self.node.ports[Actor.DOCUMENT_REGISTRY]
        try:
            answer = ITI_18.handle(ITI_18.decode(wire), registry, around)
        except Rejected as rejected:
            assert rejected.codes == {ErrorCode.UNKNOWN_PATIENT_ID}
            return []
        listed = parse(b"".join(ITI_18.encode(wire, answer, around).body)).find("{*}RegistryObjectList")
        assert listed is not None
        objects, _ = decode_objects(listed)
        return [str(each.unique_id) for each in objects if isinstance(each, DocumentEntry)]


def exchange(who: Principal) -> Exchange:
    return Exchange(correlation_id="test", received_at=datetime.now(UTC), principal=who)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    loaded = load("demo")
    node = open_node(Settings(domain="demo", data=tmp_path / "data"), loaded)
    yield Scene(node, loaded)
    node.close()


def denying(scene: Scene) -> str:
    return (
        APPC_CONSENT.replace("2.999.2.1", HOSPITAL)
        .replace('root="2.999.1"', f'root="{scene.patient.authority.universal_id}"')
        .replace('extension="78"', 'extension="CH-1"')
    )


def test_a_consent_decides_what_the_next_query_shows(scene: Scene) -> None:
    report = scene.report()
    assert scene.seen(DOCTOR) == [report]
    consent = scene.consent(denying(scene))
    assert scene.seen(DOCTOR) == []
    assert set(scene.seen(ANNA)) == {report, consent}, "the consent is returned like any document"
    uuid = _uuid(scene, consent)
    _deprecate(scene, uuid)
    assert scene.seen(DOCTOR) == [report]


def test_a_consent_that_is_refused_changes_nothing(scene: Scene) -> None:
    report = scene.report()
    with pytest.raises(Rejected):
        scene.consent(denying(scene).replace("deny-overrides", "permit-overrides"))
    assert scene.seen(DOCTOR) == [report]


def _uuid(scene: Scene, unique_id: UniqueId) -> EntryUUID:
    from sqlalchemy import select

    from xds.tables import document_entry

    query = select(document_entry.c.entry_uuid).where(document_entry.c.unique_id == unique_id)
    return EntryUUID(scene.node.database.read(lambda each: each.execute(query).scalar_one()))


def _deprecate(scene: Scene, uuid: EntryUUID) -> None:
    from sqlalchemy import update

    from xds.model import AvailabilityStatus
    from xds.tables import document_entry

    registry = scene.node.ports[Actor.DOCUMENT_REGISTRY]

    def work(connection: Any) -> None:
        this = document_entry.c.entry_uuid == uuid
        connection.execute(update(document_entry).where(this).values(status=AvailabilityStatus.DEPRECATED))
        patient = scene.node.ports[Actor.PIX_MANAGER].resolve(connection, scene.patient)
        registry.witness.changed(connection, patient.keys)

    scene.node.database.write(work)
