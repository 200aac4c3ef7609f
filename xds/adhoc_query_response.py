"""AdhocQueryResponse: the answer of ITI-18 and ITI-51 as bytes, spliced from stored fragments (ITI TF-3: 4.2.4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ihe.datatypes import CX
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.identifiers import PatientKey
from xds.adhoc_query import QUERY
from xds.fragments import RIM_DECLARATION, object_ref, spelled, splice
from xds.model import MetadataObject
from xds.responses import RS, ResponseStatus, registry_error_list
from xds.search import Found

_END = b"</rim:RegistryObjectList></query:AdhocQueryResponse>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query found. ``patients`` maps the keys of the objects to the surviving patient ids (3.18.4.1.2.3.9.1).

    ``home`` is the homeCommunityId of objects that were registered without one. An answer of references has no
    fragments and needs no patients.
    """

    objects: tuple[Found, ...]
    patients: Mapping[PatientKey, CX]
    home: str


def encode(_wire: SOAPRequest, answer: Answer, _exchange: Exchange) -> SOAPReply:
    """The ``encode`` of ITI-18 and ITI-51."""
    patients = {key: spelled(patient_id) for key, patient_id in answer.patients.items()}
    elements = [_element(found, answer.home, patients) for found in answer.objects]
    return SOAPReply((_start(ResponseStatus.SUCCESS), *elements, _END))


def refuse(_wire: SOAPRequest, rejected: Rejected, _exchange: Exchange) -> SOAPReply:
    """The ``refuse`` of ITI-18 and ITI-51: Failure, every breach, no results (ITI TF-3: Table 4.2.4.2-3)."""
    return SOAPReply((_start(ResponseStatus.FAILURE, rejected.breaches), _END))


def _start(status: ResponseStatus, breaches: Iterable[Breach] = ()) -> bytes:
    # The schema demands RegistryObjectList in every answer, also where the examples of ITI TF-3: 4.2.4.1 leave it out.
    return b'<query:AdhocQueryResponse xmlns:query="%s" xmlns:rs="%s" %s status="%s">%s<rim:RegistryObjectList>' % (
        QUERY.encode(),
        RS.encode(),
        RIM_DECLARATION,
        status.value.encode(),
        registry_error_list(breaches),
    )


def _element(found: Found, home: str, patients: Mapping[PatientKey, bytes]) -> bytes:
    if found.fragment is None:
        return object_ref(found.entry_uuid, found.home or home)
    # The home attribute belongs on ExtrinsicObject, RegistryPackage and ObjectRef (ITI TF-2: 3.18.4.1.2.3.8).
    of_patient = found.kind is not MetadataObject.ASSOCIATION
    return splice(
        found.fragment,
        status=found.status,
        home=found.home or (home if of_patient else None),
        version=found.version,
        patient_id=patients[found.patient_key] if of_patient else None,
        last_update_time=found.last_update_time,
    )
