"""What tests of the suites expect, as sentences; each raises AssertionError with what came instead."""

from collections.abc import Iterable

from affinity.client.responses import Verdict, objects, verdict
from conformance.counterparts.documents import DocumentActors, found_ids
from conformance.counterparts.patients import Answered
from conformance.counterparts.soap import Called
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from soap.client import NoAnswer
from xds.model import AvailabilityStatus, RegistryObject


def succeeded(called: Called) -> None:
    """The request was carried out; there may be warnings."""
    told = _verdict(called)
    assert told.succeeded, f"exchange {called.exchange.number}: {told.status} where Success was due: {_errors(told)}"


def warned(called: Called, code: ErrorCode) -> None:
    """The request was carried out, and the answer has this warning."""
    succeeded(called)
    codes = {each.code for each in _verdict(called).errors if each.severity == "W"}
    assert code.value in codes, f"exchange {called.exchange.number}: no warning {code.value}, but {codes or 'none'}"


def refused(called: Called, *codes: ErrorCode, naming: str = "") -> None:
    """The request failed with one of these codes, in an error whose codeContext or location holds ``naming``."""
    told, number = _verdict(called), called.exchange.number
    assert told.status == "Failure", f"exchange {number}: {told.status} where {_any(codes)} was due"
    fitting = [each for each in told.errors if each.code in {code.value for code in codes}]
    assert fitting, f"exchange {number}: {_errors(told)} where {_any(codes)} was due"
    assert all(each.text for each in fitting), f"exchange {number}: {codes[0].value} has no codeContext"
    named = any(naming in f"{each.text} {each.location}" for each in fitting)
    assert named, f"exchange {number}: {_errors(told)} does not name {naming}"


def faulted(called: Called, *codes: str) -> None:
    """A SOAP Fault came whose code or a subcode is one of these local names."""
    assert called.fault is not None, f"{called.told} where a SOAP Fault {'/'.join(codes)} was due"
    came = {called.fault.code, *called.fault.subcodes}
    assert came & set(codes), f"{called.told} where {' or '.join(codes)} was due"


def related(called: Called) -> None:
    """The answer names the request that it answers (ITI TF-2: V.3.2.2)."""
    answer = called.answer
    assert answer is not None, called.told
    assert answer.relates_to == called.message_id, (
        f"exchange {called.exchange.number}: wsa:RelatesTo {answer.relates_to} where {called.message_id} was asked"
    )


def returned(called: Called, ids: Iterable[str]) -> None:
    """A query was answered with just these objects."""
    succeeded(called)
    came, due = found_ids(called), set(ids)
    number = called.exchange.number
    assert came == due, f"exchange {number}: missing {sorted(due - came)}, not asked for {sorted(came - due)}"


def the_objects(called: Called) -> tuple[RegistryObject, ...]:
    """The metadata of a LeafClass answer, all of it readable."""
    succeeded(called)
    found, unreadable = objects(called.body)
    assert not unreadable, f"exchange {called.exchange.number}: {unreadable}"
    return found


def has_nothing(documents: DocumentActors, patient: CX) -> None:
    """The registry has no entry, set or folder of this patient, whatever its status."""
    assert not (kept := everything(documents, patient)), f"the registry kept {sorted(kept)}"


def everything(documents: DocumentActors, patient: CX) -> set[tuple[str, str]]:
    """The id and status of all that the registry has of a patient (GetAll, ITI TF-2: 3.18.4.1.2.3.7.4)."""
    statuses = f"('{AvailabilityStatus.APPROVED.value}','{AvailabilityStatus.DEPRECATED.value}')"
    kinds = ("$XDSDocumentEntryStatus", "$XDSSubmissionSetStatus", "$XDSFolderStatus")
    found = the_objects(
        documents.query("GetAll", ("$patientId", spelled(patient)), *((kind, statuses) for kind in kinds))
    )
    return {(each.entry_uuid, str(each.availability_status)) for each in found}


def spelled(patient: CX) -> str:
    """A patient id as metadata and queries write it (ITI TF-3: Table 4.2.3.1.7-2)."""
    return f"{patient.id}^^^&{patient.authority.universal_id}&ISO"


def accepted(answered: Answered) -> None:
    """The message was taken: AA or CA, and MSA-2 names it."""
    told = answered.acknowledgement
    number = answered.exchange.number
    assert told.accepted, f"exchange {number}: {told.code} where AA was due: {told.text} {told.errors}"


def declined(answered: Answered, *codes: str, location: str = "") -> None:
    """The message was refused with AE or AR, and an ERR has one of these HL7 table 0357 codes at ``location``."""
    told, number = answered.acknowledgement, answered.exchange.number
    assert told.code in ("AE", "AR", "CE", "CR"), f"exchange {number}: {told.code} where AE or AR was due"
    fitting = [each for each in told.errors if each.code in codes]
    assert fitting, f"exchange {number}: {told.errors} where {' or '.join(codes)} was due"
    if location:
        places = {each.location for each in fitting}
        assert location in places, f"exchange {number}: the error is at {places}, not at {location}"


def not_found(answered: Answered) -> None:
    """A query was answered with AA and NF, and without patients."""
    found, number = answered.found, answered.exchange.number
    assert (found.code, found.outcome) == ("AA", "NF"), f"exchange {number}: {found.code} {found.outcome}, not AA NF"
    assert not found.patients, f"exchange {number}: patients were returned"


def _verdict(called: Called) -> Verdict:
    try:
        return verdict(called.body)
    except NoAnswer as error:
        raise AssertionError(f"exchange {called.exchange.number}: {error}") from error


def _errors(told: Verdict) -> str:
    return "; ".join(f"{each.code} ({each.text}; {each.location})" for each in told.errors) or "no RegistryError"


def _any(codes: tuple[ErrorCode, ...]) -> str:
    return " or ".join(code.value for code in codes)
