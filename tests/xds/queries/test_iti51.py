"""Multi-Patient Stored Query [ITI-51] (ITI TF-2: 3.51)."""

from pathlib import Path
from typing import Any

import pytest

from ihe.datatypes import Code
from ihe.errors import ErrorCode, Rejected
from soap.xml import schema
from xds.iti51 import ITI_51
from xds.stored_queries import FIND_DOCUMENTS, FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, FIND_FOLDERS_FOR_MULTIPLE_PATIENTS

APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
STATUS = ("$XDSDocumentEntryStatus", APPROVED)
FOLDER_STATUS = ("$XDSFolderStatus", APPROVED)


def ask(shelves: Any, query: Any, *slots: tuple[str, ...], returns: str = "LeafClass") -> list[str]:
    answer = shelves.ask(ITI_51, shelves.request(query.id, *slots, returns=returns))
    return [str(each.get("id")) for each in answer.find(f"{RIM}RegistryObjectList")]


def find(shelves: Any, *slots: tuple[str, ...]) -> list[str]:
    return ask(shelves, FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, STATUS, *slots)


def uuids(*objects: Any) -> list[str]:
    return [str(each.entry_uuid) for each in objects]


def test_documents_of_several_patients_in_one_answer(shelves: Any, make: Any) -> None:
    anna, jean, other = (shelves.patient(name, key) for key, name in enumerate(("ANNA", "JEAN", "OTHER"), 1))
    entries = [make.entry(patient) for patient in (anna, jean, other)]
    for key, entry in enumerate(entries, 1):
        shelves.put(key, entry)
    assert find(shelves, ("$XDSDocumentEntryPatientId", f"('{anna}', '{jean}')")) == uuids(*entries[:2])


def test_documents_by_code_of_any_patient_show_each_its_own_id(shelves: Any, make: Any, shared: Path) -> None:
    anna, jean = shelves.patient("ANNA", 1), shelves.patient("JEAN", 2, 3)
    event = (Code("EBOLA", "2.25.1", ""),)
    entries = [make.entry(anna, event_code_list=event), make.entry(jean, event_code_list=event)]
    shelves.put(1, entries[0], make.entry(anna))
    shelves.put(3, entries[1])
    slots = (STATUS, ("$XDSDocumentEntryEventCodeList", "('EBOLA^^2.25.1')"))
    answer = shelves.ask(ITI_51, shelves.request(FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS.id, *slots))
    schema(shared / "schemas" / "ebRS" / "query.xsd").assertValid(answer)
    scheme = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
    assert answer.xpath(f"//@value[../@identificationScheme='{scheme}']") == [str(anna), str(jean)]


def test_every_unknown_patient_is_named(shelves: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    ids = f"('{anna}','A^^^&1.2.3&ISO','B^^^&1.2.3&ISO')"
    with pytest.raises(Rejected) as caught:
        find(shelves, ("$XDSDocumentEntryPatientId", ids))
    assert [breach.code for breach in caught.value.breaches] == [ErrorCode.UNKNOWN_PATIENT_ID] * 2


def test_folders_of_several_patients_or_with_a_code(shelves: Any, make: Any) -> None:
    anna, jean = shelves.patient("ANNA", 1), shelves.patient("JEAN", 2)
    first, second = make.folder(anna), make.folder(jean, code_list=(Code("OTHER", "2.25.1", ""),))
    shelves.put(1, first)
    shelves.put(2, second)
    by_patients = ("$XDSFolderPatientId", f"('{anna}')", f"('{jean}')")
    by_code = ("$XDSFolderCodeList", "('OTHER^^2.25.1')")
    assert ask(shelves, FIND_FOLDERS_FOR_MULTIPLE_PATIENTS, FOLDER_STATUS, by_patients) == uuids(first, second)
    assert ask(shelves, FIND_FOLDERS_FOR_MULTIPLE_PATIENTS, FOLDER_STATUS, by_code) == uuids(second)


def test_neither_patient_nor_code_is_refused(shelves: Any) -> None:
    with pytest.raises(Rejected) as caught:
        find(shelves, ("$XDSDocumentEntryTypeCode", "('a^^b')"))
    assert caught.value.codes == {ErrorCode.STORED_QUERY_MISSING_PARAM}


def test_a_query_of_iti_18_is_not_one_of_iti_51(shelves: Any) -> None:
    with pytest.raises(Rejected) as caught:
        ask(shelves, FIND_DOCUMENTS, STATUS)
    assert caught.value.codes == {ErrorCode.UNKNOWN_STORED_QUERY}
