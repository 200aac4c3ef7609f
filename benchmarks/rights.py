"""Access rights: what the predicate costs on a patient with 2,000 documents; one process, SQLite, CPU of one thread.

The same query is asked of the same registry with an open policy and with that of the demo domain, where each tenth
document is restricted, which the doctor reads, and the patient hid five: nearly the same answer, so that the difference
is the price. What is measured is the handler: patient, search, rights.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from sqlalchemy import Connection, create_engine

from affinity.database import Database
from affinity.domain import load
from affinity.schema import METADATA
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from consent import recording
from consent.model import Act, RelationshipKind, professional
from consent.policy import Policy
from consent.viewing import Eyes
from ihe.access import OPEN
from ihe.datatypes import CX, HD, Code
from ihe.exchange import Exchange, Principal
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient
from xds import registry_query
from xds.acceptance import first_version
from xds.adhoc_query import AdhocQuery, ReturnType
from xds.ebrim_writing import fragment
from xds.model import Author, AvailabilityStatus, DocumentEntry
from xds.query_parameters import QueryParameters
from xds.registry import DocumentRegistry
from xds.stored_queries import FIND_DOCUMENTS
from xds.visibility import Access
from xua.people import ACT_REASON, DEMO_ROLES

BENCHMARK = "access rights"
DOCUMENTS, QUESTIONS = 2000, 30
KEY = PatientKey(1)
ID = CX("RIGHTS", HD("", "2.25.7001", "ISO"))
LEA = Patient(key=KEY, keys=(KEY,), id=ID)
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DOCTOR = Principal(
    issuer="urn:idp",
    assertion_id="_1",
    name_id="joris.wampach",
    npi="90000022",
    roles=(Code("treating-doctor", DEMO_ROLES),),
    purpose_of_use=(Code("TREAT", ACT_REASON),),
)


class OnePatient:
    """An index of one patient."""

    def resolve(self, _connection: Connection, patient_id: CX) -> Patient | None:
        """The patient, whatever the question."""
        return LEA if patient_id == ID else None

    def current(self, _connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, CX]:
        """The one id."""
        return dict.fromkeys(keys, ID)

    def together(self, _connection: Connection, keys: Collection[PatientKey]) -> Sequence[tuple[PatientKey, ...]]:
        """Nobody was merged."""
        return [(key,) for key in sorted(keys)]


@dataclass(frozen=True)
class Restricted:
    """Every request is seen through one policy."""

    policy: Policy
    index: OnePatient

    def viewer(self, exchange: Exchange) -> Eyes:
        """The eyes of a request."""
        return Eyes(policy=self.policy, exchange=exchange, together=self.index.together)

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        """Nothing is an emergency."""


def measure(place: Path, effort: Effort, say: Say) -> list[Figure]:
    """Milliseconds of CPU for each query, and how many more the rights cost."""
    registry = _filled(place)
    restricted = replace(registry, access=_restricted())
    returned = {"references": ReturnType.OBJECT_REF, "documents": ReturnType.LEAF_CLASS}
    figures = []
    for name, kind in returned.items():
        open_runs, more = [], []
        for run in range(effort.runs):
            say(f"access rights, {name}, run {run + 1} of {effort.runs}")
            plain = _ask(registry, kind, effort.count(QUESTIONS))
            open_runs.append(plain)
            more.append(_ask(restricted, kind, effort.count(QUESTIONS)) - plain)
        title = f"FindDocuments, {DOCUMENTS} {name}"
        figures.append(Figure(benchmark=BENCHMARK, name=title, unit="ms CPU", runs=tuple(open_runs)))
        aim = Aim(Better.LOWER, 1.0)
        figures.append(
            Figure(benchmark=BENCHMARK, name=f"{title}: more with rights", unit="ms CPU", runs=tuple(more), aim=aim)
        )
    registry.database.close()  # type: ignore[attr-defined]
    return figures


def _restricted() -> Access:
    return Restricted(load("demo").access, OnePatient())


def _filled(place: Path) -> DocumentRegistry:
    """A registry whose one patient has the documents, a treating doctor, and some that she hid."""
    place.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{place / 'rights.db'}"
    (engine := create_engine(url)).dispose()
    for metadata in METADATA:
        metadata.create_all(engine)
    domain = replace(load("demo").affinity_domain, max_results=DOCUMENTS)
    registry = DocumentRegistry(
        domain=domain, database=Database(url), patients=OnePatient(), clock=lambda: NOW, access=OPEN
    )
    entries = tuple(first_version(_entry(number), lambda _: registry.new_uuid()) for number in range(DOCUMENTS))
    rendered = {each.entry_uuid: fragment(each) for each in entries}
    act = Act(actor="benchmark", reason="to measure", at=NOW)

    def fill(connection: Connection) -> None:
        registry.store_in(connection, entries, KEY, rendered)
        recording.open_record(connection, LEA, act)
        recording.relate(connection, LEA, professional(DOCTOR.npi or ""), RelationshipKind.TREATING_DOCTOR, act)
        recording.mask(connection, LEA, [UniqueId(f"1.2.{number}") for number in range(5)], act)

    registry.database.write(fill)
    return registry


def _entry(number: int) -> DocumentEntry:
    """Each tenth one is restricted."""
    level = "R" if number % 10 == 0 else "N"
    return DocumentEntry(
        entry_uuid=f"Document{number}",  # type: ignore[arg-type]
        mime_type="text/xml",
        creation_time="20260110120000",
        hash="da39a3ee5e6b4b0d3255bfef95601890afd80709",
        size=0,
        language_code="fr-LU",
        repository_unique_id="2.25.5",
        source_patient_id=ID,
        class_code=Code("REPORTS", "1.3.6.1.4.1.19376.1.2.6.1", "Reports"),
        type_code=Code("11502-2", "2.16.840.1.113883.6.1", "Laboratory report"),
        format_code=Code("XD-LAB", "2.25.1", "XD-LAB"),
        healthcare_facility_type_code=Code("LAB", "2.25.1", "Laboratory"),
        practice_setting_code=Code("MED", "2.25.1", "Medicine"),
        confidentiality_code=(Code(level, "2.16.840.1.113883.5.25", level),),
        author=(Author(author_person="^Weber^Anna^^^Dr"),),
        patient_id=ID,
        unique_id=UniqueId(f"1.2.{number}"),
    )


def _ask(registry: DocumentRegistry, kind: ReturnType, times: int) -> float:
    """Milliseconds of CPU for each question, once it was asked before."""
    asked = AdhocQuery(
        query=FIND_DOCUMENTS,
        parameters=QueryParameters(
            {
                "$XDSDocumentEntryPatientId": ((ID,),),
                "$XDSDocumentEntryStatus": ((AvailabilityStatus.APPROVED,),),
            }
        ),
        return_type=kind,
    )
    exchange = Exchange(correlation_id="", received_at=NOW, principal=DOCTOR)
    registry_query.handle(asked, registry, exchange)
    started = process_time()
    for _ in range(times):
        registry_query.handle(asked, registry, exchange)
    return (process_time() - started) * 1e3 / times
