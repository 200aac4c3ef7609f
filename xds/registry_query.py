"""Answering a stored query: patients first, then the search, then what the whole answer must obey (ITI TF-2: 3.18)."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Protocol

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.domain import AffinityDomain
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, Transactor
from ihe.identifiers import PatientKey
from xds.adhoc_query import AdhocQuery, ReturnType
from xds.adhoc_query_response import Answer
from xds.patients import Patient, Patients
from xds.query_answers import ANSWERS
from xds.search import ERRORS, Found, Search, too_many
from xds.seeing import knows_patient
from xds.stored_query import Kind, StoredQuery
from xds.visibility import Access, Viewer, anew


class QueriedRegistry(Protocol):
    """What a query needs of the Document Registry."""

    @property
    def database(self) -> Transactor[Connection]:
        """Where the objects are."""

    @property
    def patients(self) -> Patients:
        """Whom the identity feed announced."""

    @property
    def access(self) -> Access:
        """Who sees what."""

    @property
    def domain(self) -> AffinityDomain:
        """The affinity domain: its community and the most objects an answer may hold."""


def handle(asked: AdhocQuery, registry: QueriedRegistry, exchange: Exchange) -> Answer:
    """The ``handle`` of ITI-18 and ITI-51: one query on one snapshot; Rejected holds what the answer must not be."""
    registry.access.enter(exchange, _named(asked)[1])
    viewer = registry.access.viewer(exchange)
    return registry.database.read(lambda connection: _answer(connection, asked, registry, anew(viewer)))


def _answer(connection: Connection, asked: AdhocQuery, registry: QueriedRegistry, viewer: Viewer | None) -> Answer:
    patients = _patients(connection, asked, registry.patients, viewer)
    keys = None if patients is None else tuple([key for patient in patients for key in patient.keys])
    limit = registry.domain.max_results
    search = Search(connection=connection, asked=asked, viewer=viewer, limit=limit)
    objects = tuple(ANSWERS[asked.query.id](search, keys))
    if len(objects) > limit:
        raise too_many(limit)
    known = {key: patient.id for patient in patients or () for key in patient.keys}
    current = _current(connection, asked, objects, registry.patients, known)
    _refuse_several_patients(asked, objects, current)
    return Answer(objects=objects, patients=current, home=registry.domain.home_community_id)


def _named(asked: AdhocQuery) -> tuple[str, tuple[CX, ...]]:
    """The parameter that names patients, and whom it names."""
    name = _naming_patients(asked.query)
    return name, asked.parameters.any_of(name, CX)


@cache
def _naming_patients(query: StoredQuery) -> str:
    return next((each.name for each in query.parameters if each.kind is Kind.PATIENT_ID), "")


def _patients(
    connection: Connection, asked: AdhocQuery, patients: Patients, viewer: Viewer | None
) -> tuple[Patient, ...] | None:
    """The patients that the query names, or None if it names none; an unknown one fails the query."""
    name, ids = _named(asked)
    found = [(patient_id, _known(connection, patients, viewer, patient_id)) for patient_id in ids]
    unknown = [_unknown(name, patient_id) for patient_id, patient in found if patient is None]
    if unknown:
        raise Rejected(*unknown)
    return tuple([patient for _, patient in found if patient is not None]) if ids else None


def _known(connection: Connection, patients: Patients, viewer: Viewer | None, patient_id: CX) -> Patient | None:
    """The patient, if there is one of whom the person may know."""
    patient = patients.resolve(connection, patient_id)
    return patient if patient and knows_patient(connection, viewer, patient) else None


def _unknown(name: str, patient_id: CX) -> Breach:
    """An empty answer would be as conformant (3.18.4.1.3), but reads like a patient without documents."""
    return Breach(
        code=ErrorCode.UNKNOWN_PATIENT_ID,
        text="The patient id is not known to this registry",
        location=name,
        observed=str(patient_id),
        citation=tf2("3.18.4.1.3"),
        remedy="no ITI-8, ITI-30 or ITI-44 feed announced this id to this domain, or it was merged into another",
    )


def _current(
    connection: Connection,
    asked: AdhocQuery,
    objects: Iterable[Found],
    patients: Patients,
    known: Mapping[PatientKey, CX],
) -> Mapping[PatientKey, CX]:
    """The surviving id of each object's patient; references show none."""
    if asked.return_type is ReturnType.OBJECT_REF:
        return {}
    others = {each.patient_key for each in objects} - known.keys()
    return {**known, **patients.current(connection, others)} if others else known


def _refuse_several_patients(asked: AdhocQuery, objects: Collection[Found], current: Mapping[PatientKey, CX]) -> None:
    if asked.return_type is ReturnType.OBJECT_REF or not asked.query.one_patient:
        return
    if len({current[each.patient_key] for each in objects if each.kind in asked.query.one_patient}) > 1:
        raise Rejected(
            Breach(
                code=ErrorCode.RESULT_NOT_SINGLE_PATIENT,
                text="The query would return metadata of more than one patient",
                location="ResponseOption/@returnType",
                citation=ERRORS,
                remedy="ask with returnType ObjectRef, or for the objects of one patient at a time",
            )
        )
