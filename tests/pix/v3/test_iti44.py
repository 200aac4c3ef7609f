"""Patient Identity Feed HL7 V3: what is taken, what is refused, and with which acknowledgement."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority
from ihe.partners import Validation
from pix.manager import PatientIndex
from pix.queries import Candidate, CandidateQuery, Criteria, IdentifierPattern
from tests.pix.v3.desk import Desk

EVENT = "controlActProcess/subject/registrationEvent"
PATIENT = f"/PRPA_IN201301UV02/{EVENT}/subject1/patient"
PERSON = f"{PATIENT}/patientPerson"
PRIOR = f"/PRPA_IN201304UV02/{EVENT}/replacementOf/priorRegistration"
GIVEN_NAMES = "<given>Anna</given><given>Lea</given>"
NO_MATRICULE = (
    '<id root="2.25.999.9" extension="1980051512305"/>\n                <scoping',
    '<id nullFlavor="NI"/>\n                <scoping',
)
Found = Callable[[str], Candidate | None]


@pytest.fixture
def found(index: PatientIndex, hospital: AssigningAuthority) -> Found:
    """The patient whom demographics queries know by an id of the hospital."""

    def find(id: str) -> Candidate | None:
        pattern = IdentifierPattern(id=id, authority=hospital)
        page = index.find(CandidateQuery(criteria=Criteria(identifiers=(pattern,))))
        return next(iter(page.candidates), None)

    return find


def test_an_added_record_is_committed_and_its_patient_found_by_all_ids(desk: Desk, found: Found) -> None:
    assert desk.ask("iti44_added").verdict == "CA"
    candidate = found("H-1")
    assert candidate is not None
    ids = [(each.authority.namespace_id, each.id) for each in candidate.identifiers]
    assert ids == [("HOSP", "H-1"), ("NAT", "1980051512305")]


def test_the_acknowledgement_names_the_message_and_goes_back_to_its_sender(desk: Desk) -> None:
    acknowledgement = desk.ask("iti44_added")
    assert acknowledgement.name == "MCCI_IN000002UV01"
    assert acknowledgement.all("targetMessage/id", "extension") == ["1"]
    assert acknowledgement.all("receiver/device/id", "root") == ["2.25.999.100"]
    assert acknowledgement.all("receiver/device/asAgent/representedOrganization/id", "root") == ["2.25.999.101"]
    assert acknowledgement.all("sender/device/id", "root") == ["2.25.999.200"]
    assert acknowledgement.all("creationTime", "value") == ["20261123090000+0000"]
    assert acknowledgement.all("acceptAckCode", "code") == ["NE"]


def test_what_v3_says_of_a_person_reaches_the_index(desk: Desk, found: Found) -> None:
    desk.ask("iti44_added")
    candidate = found("H-1")
    assert candidate is not None
    known = candidate.demographics
    assert [(name.family, name.given, name.further_given, name.prefix, name.type_code) for name in known.names] == [
        ("Weber", "Anna", "Lea", "Dr", "L"),
        ("Kremer", "", "", "", "M"),
    ]
    assert (known.birth_time, known.sex, known.death_indicator) == ("19800515", "F", "N")
    assert [(phone.number, phone.use, phone.email) for phone in known.home_phones] == [
        ("+352-621-000001", "PRN", ""),
        ("", "NET", "anna.weber@example.lu"),
    ]
    assert [(phone.number, phone.extension) for phone in known.business_phones] == [("+352-26-000002", "12")]
    assert [(address.street, address.city, address.postal_code) for address in known.addresses] == [
        ("12, rue des Roses", "Esch", "4001")
    ]
    assert [name.family for name in known.mothers_maiden_names] == ["Hoffmann"]
    assert [language.code for language in known.languages] == ["lb"]


def test_where_schemas_are_and_how_far_it_is_indented_may_be_long(desk: Desk) -> None:
    hints = " ".join(f"urn:hl7-org:v3 ../schemas/of/a/tool/PRPA_IN201301UV0{number}.xsd" for number in range(9))
    long = (' ITSVersion="XML_1.0"', f' xsi:schemaLocation="{hints}" ITSVersion="XML_1.0"')
    assert desk.ask("iti44_added", long, ("<creationTime", " " * 300 + "<creationTime")).verdict == "CA"


def test_a_revision_replaces_what_it_says(desk: Desk, found: Found) -> None:
    desk.ask("iti44_added")
    assert desk.ask("iti44_revised").verdict == "CA"
    candidate = found("H-1")
    assert candidate is not None
    assert [address.street for address in candidate.demographics.addresses] == ["3, rue du Nord"]


def test_a_message_sent_again_gets_the_very_same_answer(desk: Desk) -> None:
    desk.ask("iti44_added")
    desk.ask("iti44_added", ("20261123080000+0100", "20261123081500+0100"))
    assert desk.sent[0] == desk.sent[1]


def test_another_message_under_the_same_id_is_refused(desk: Desk, found: Found) -> None:
    desk.ask("iti44_added")
    reply = desk.ask("iti44_added", ('"H-1"', '"H-7"'))
    assert reply.verdict == "CE 205"
    assert reply.locations == ["/PRPA_IN201301UV02/id"]
    assert found("H-7") is None


def test_the_first_name_is_one_that_the_person_bears(desk: Desk, found: Found) -> None:
    former = '<name><given>Anne</given><family>Mayer</family><validTime><high value="2001"/></validTime></name>'
    assert desk.ask("iti44_added", ('<name use="L">', former + '<name use="L">')).verdict == "CA"
    candidate = found("H-1")
    assert candidate is not None
    assert [name.family for name in candidate.demographics.names] == ["Weber", "Kremer", "Mayer"]


def test_the_preferred_language_comes_first(desk: Desk, found: Found) -> None:
    spoken = "<languageCommunication><languageCode code={}/>{}</languageCommunication>"
    preferred = spoken.format('"pt"', '<preferenceInd value="true"/>')
    one = spoken.format('"lb"', "")
    assert desk.ask("iti44_added", (one, one + preferred)).verdict == "CA"
    candidate = found("H-1")
    assert candidate is not None
    assert [language.code for language in candidate.demographics.languages] == ["pt", "lb"]


def test_the_mothers_own_id_is_kept_and_told(desk: Desk, found: Found) -> None:
    name = "<name><family>Hoffmann</family></name>"
    desk.ask("iti44_added", (name, '<id root="2.25.999.1" extension="H-77"/>' + name))
    candidate = found("H-1")
    assert candidate is not None
    assert candidate.demographics.mothers_identifiers == (CX("H-77", HD("", "2.25.999.1", "ISO")),)
    assert desk.ask("iti47_query").all("relationshipHolder1/id", "extension") == ["H-77"]


def test_twins_and_the_dead_are_told_as_they_were_fed(desk: Desk) -> None:
    twin = (
        '<deceasedInd value="false"/>',
        '<deceasedInd value="true"/><deceasedTime value="20260101"/>'
        '<multipleBirthInd value="true"/><multipleBirthOrderNumber value="2"/>',
    )
    assert desk.ask("iti44_added", twin).verdict == "CA"
    answered = desk.ask("iti47_query")
    for name, value in (
        ("deceasedInd", "true"),
        ("deceasedTime", "20260101"),
        ("multipleBirthInd", "true"),
        ("multipleBirthOrderNumber", "2"),
    ):
        assert answered.all(f"patientPerson/{name}", "value") == [value]


def test_a_social_security_number_is_no_patient_id_but_comes_back(desk: Desk) -> None:
    ssn = '<id root="2.16.840.1.113883.4.1" extension="999-99-4452"/>'
    other = f'<asOtherIDs classCode="CIT">{ssn}<scopingOrganization classCode="ORG" determinerCode="INSTANCE">'
    other += '<id root="2.16.840.1.113883.4.1"/></scopingOrganization></asOtherIDs>'
    assert desk.ask("iti44_added", ("<personalRelationship ", other + "<personalRelationship ")).verdict == "CA"
    answered = desk.ask("iti47_query")
    assert answered.all("asOtherIDs/id", "extension") == ["1980051512305", "999-99-4452"]
    assert answered.all("asOtherIDs", "classCode") == ["PAT", "ROL"]


def test_a_merge_says_nothing_of_demographics(desk: Desk, found: Found) -> None:
    desk.announce(1)
    desk.announce(2, ("<given>Lea</given>", ""))
    assert desk.ask("iti44_duplicates_resolved", ("<given>Anna</given>", "<given>Xenia</given>")).verdict == "CA"
    candidate = found("H-1")
    assert candidate is not None
    assert [name.given for name in candidate.demographics.names] == ["Anna", ""]


def test_one_message_registers_one_patient(desk: Desk, found: Found) -> None:
    message = desk.golden("iti44_added").decode()
    subject = message[message.index("<subject ") : message.index("</subject>") + len("</subject>")]
    doubled = message.replace(subject, subject + subject.replace("H-1", "H-2"))
    refused = desk.send(doubled.encode())
    assert refused.verdict == "CE 100"
    assert "send one message for each" in refused.texts("acknowledgementDetail/text")[0]
    assert (found("H-1"), found("H-2")) == (None, None)


def test_duplicates_resolved_make_one_patient_of_two_for_every_question(
    desk: Desk, index: PatientIndex, hospital: AssigningAuthority
) -> None:
    desk.announce(1)
    desk.announce(2, ("<given>Lea</given>", ""))
    assert desk.ask("iti44_duplicates_resolved").verdict == "CA"
    surviving, subsumed = (CX(id, HD("", hospital.oid, "ISO")) for id in ("H-1", "H-2"))
    assert index.database.read(lambda connection: index.resolve(connection, subsumed)) is None
    patient = index.database.read(lambda connection: index.resolve(connection, surviving))
    assert patient is not None
    assert len(patient.keys) == 2
    asked = desk.ask("iti45_query", ('extension="H-1"', 'extension="H-2"'))
    assert asked.verdict == "AE AE 204"


def test_all_breaches_of_a_message_are_reported_at_once(desk: Desk) -> None:
    refused = desk.ask(
        "iti44_added",
        ('<birthTime value="19800515"/>', '<birthTime value="1980-05-15"/>'),
        ('code="F"', 'code="X"'),
        ('<id root="2.25.999.1" extension="H-1"/>', '<id assigningAuthorityName="HOSP" extension="H-1"/>'),
    )
    assert refused.verdict == "CE 101 102 103"
    assert refused.locations == [
        f"{PATIENT}/id",
        f"{PATIENT}/patientPerson/birthTime",
        f"{PATIENT}/patientPerson/administrativeGenderCode",
    ]


@pytest.mark.parametrize(
    ("message", "old", "new", "verdict", "location"),
    [
        ("iti44_added", 'root="2.25.999.1" extension="H', 'root="2.25.998" extension="H', "CE 204", f"{PATIENT}/id"),
        ("iti44_added", 'root="2.25.999.1" extension="H', 'root="2.25.999.3" extension="H', "CE 204", f"{PATIENT}/id"),
        ("iti44_added", ' extension="H-1"', "", "CE 101", f"{PATIENT}/id"),
        ("iti44_added", "H-1", "H" * 257, "CE 102", "/PRPA_IN201301UV02//id"),
        ("iti44_added", '<id root="2.25.999.1" extension="H-1"/>', '<id nullFlavor="NI"/>', "CE 101", f"{PATIENT}/id"),
        (
            "iti44_added",
            '<id root="2.25.999.9"/></scoping',
            '<id root="2.25.999.8"/></scoping',
            "CE 103",
            f"{PATIENT}/patientPerson/asOtherIDs/id",
        ),
        (
            "iti44_added",
            '<id root="2.25.999.9"/></scoping',
            '<id root="2.25.999.9" extension="1"/></scoping',
            "CE 103",
            f"{PATIENT}/patientPerson/asOtherIDs/scopingOrganization/id",
        ),
        ("iti44_added", 'deceasedInd value="false"', 'deceasedInd value="no"', "CE 102", f"{PERSON}/deceasedInd"),
        (
            "iti44_added",
            '<deceasedInd value="false"/>',
            '<deceasedTime value="1.1.2026"/>',
            "CE 102",
            f"{PERSON}/deceasedTime",
        ),
        (
            "iti44_added",
            '<deceasedInd value="false"/>',
            '<deceasedTime value="20260230"/>',
            "CE 102",
            f"{PERSON}/deceasedTime",
        ),
        ("iti44_added", "19800515", "19800230", "CE 102", f"{PERSON}/birthTime"),
        ("iti44_added", "19800515", "1980051525", "CE 102", f"{PERSON}/birthTime"),
        (
            "iti44_added",
            "<creationTime value=",
            '<creationTime nullFlavor="UNK" value=',
            "CE 101",
            "/PRPA_IN201301UV02/creationTime",
        ),
        (
            "iti44_added",
            '<creationTime value="',
            '<creationTime value="20260230000000"/><creationTime nullFlavor="UNK" value="',
            "CE 102",
            "/PRPA_IN201301UV02/creationTime",
        ),
        ("iti44_added", "<addr ", '<multipleBirthInd value="1"/><addr ', "CE 102", f"{PERSON}/multipleBirthInd"),
        (
            "iti44_added",
            "<addr ",
            '<multipleBirthOrderNumber value="first"/><addr ',
            "CE 102",
            f"{PERSON}/multipleBirthOrderNumber",
        ),
        (
            "iti44_added",
            'processingCode code="P"',
            'processingCode code="X"',
            "CR 202",
            "/PRPA_IN201301UV02/processingCode",
        ),
        (
            "iti44_added",
            '<statusCode code="active"/>\n            <patientPerson',
            '<statusCode code="nullified"/>\n            <patientPerson',
            "CE 103",
            f"{PATIENT}/statusCode",
        ),
        (
            "iti44_added",
            "PRPA_TE201301UV02",
            "PRPA_TE201302UV02",
            "CR 201",
            "/PRPA_IN201301UV02/controlActProcess/code",
        ),
        (
            "iti44_added",
            'extension="PRPA_IN201301UV02"',
            'extension="PRPA_IN201302UV02"',
            "CR 200",
            "/PRPA_IN201301UV02/interactionId",
        ),
        ("iti44_added", '<id root="2.25.999.100" extension="1"/>', "", "CE 101", "/PRPA_IN201301UV02/id"),
        (
            "iti44_added",
            '<id root="2.25.999.100"/>',
            '<id root="HIS"/>',
            "CE 101",
            "/PRPA_IN201301UV02/sender/device/id",
        ),
        ("iti44_duplicates_resolved", 'code="obsolete"', 'code="active"', "CE 100", f"{PRIOR}/statusCode"),
        (
            "iti44_duplicates_resolved",
            '<id root="2.25.999.1" extension="H-2"/>',
            '<id root="2.25.999.1" extension="H-2"/><id root="2.25.999.1" extension="H-3"/>',
            "CE 100",
            f"{PRIOR}/subject1/priorRegisteredRole/id",
        ),
        (
            "iti44_duplicates_resolved",
            '<id root="2.25.999.1" extension="H-2"/>',
            '<id root="2.25.999.2" extension="H-2"/>',
            "CE 204",
            f"{PRIOR}/subject1/priorRegisteredRole/id",
        ),
        (
            "iti44_duplicates_resolved",
            '<id root="2.25.999.1" extension="H-1"/>',
            '<id root="2.25.999.1" extension="H-1"/><id root="2.25.999.1" extension="H-3"/>',
            "CE 205",
            f"/PRPA_IN201304UV02/{EVENT}/subject1/patient/id[2]",
        ),
        (
            "iti44_duplicates_resolved",
            'extension="H-2"',
            'extension="H-1"',
            "CE 205",
            f"{PRIOR}/subject1/priorRegisteredRole/id",
        ),
        (
            "iti44_duplicates_resolved",
            'extension="H-1"',
            'extension="H-9"',
            "CE 204",
            f"/PRPA_IN201304UV02/{EVENT}/subject1/patient/id",
        ),
        (
            "iti44_duplicates_resolved",
            'extension="H-2"',
            'extension="H-9"',
            "CE 204",
            f"{PRIOR}/subject1/priorRegisteredRole/id",
        ),
    ],
)
def test_one_change_one_verdict(desk: Desk, message: str, old: str, new: str, verdict: str, location: str) -> None:
    desk.announce(1)
    refused = desk.ask(message, (old, new))
    assert refused.verdict == verdict
    assert location in refused.locations


def test_a_merge_without_what_it_replaces_is_refused(desk: Desk) -> None:
    merge = desk.golden("iti44_duplicates_resolved").decode()
    replacement = merge[merge.index("<replacementOf") : merge.index("</replacementOf>") + len("</replacementOf>")]
    refused = desk.ask("iti44_duplicates_resolved", (replacement, ""))
    assert refused.verdict == "CE 100"
    assert PRIOR in refused.locations


def test_a_record_that_replaces_another_is_not_an_addition(desk: Desk) -> None:
    merge = desk.golden("iti44_duplicates_resolved").decode()
    replacement = merge[merge.index("<replacementOf") : merge.index("</replacementOf>") + len("</replacementOf>")]
    refused = desk.ask("iti44_added", ("</custodian>", "</custodian>" + replacement))
    assert refused.verdict == "CE 100"


def test_an_id_merged_away_is_not_fed_again(desk: Desk) -> None:
    desk.announce(1)
    desk.announce(2, ("<given>Lea</given>", ""))
    desk.ask("iti44_duplicates_resolved")
    again = desk.ask("iti44_added", ('extension="1"/>', 'extension="late"/>'), ('"H-1"', '"H-2"'))
    assert again.verdict == "CE 204"


def test_lenient_validation_leaves_an_unknown_id_out_and_says_so(desk: Desk, found: Found) -> None:
    elsewhere = '<id root="2.25.999.1" extension="H-1"/><id root="2.25.998" extension="X-1"/>'
    message = desk.golden("iti44_added", ('<id root="2.25.999.1" extension="H-1"/>', elsewhere))
    assert desk.send(message).verdict == "CE 204"
    taken = desk.send(message, Validation.LENIENT)
    assert taken.verdict == "CA 204"
    assert taken.all("acknowledgementDetail", "typeCode") == ["W"]
    assert found("H-1") is not None


def test_a_source_may_be_named_by_the_oids_of_its_device_and_organization(
    desk: Desk, index: PatientIndex, laboratory: AssigningAuthority
) -> None:
    theirs = replace(laboratory, sources=("2.25.999.100|2.25.999.101",))
    others = tuple(each for each in index.domain.assigning_authorities if each != laboratory)
    allowed = replace(index, domain=replace(index.domain, assigning_authorities=(*others, theirs)))
    fed = Desk(allowed).ask("iti44_added", ('root="2.25.999.1" extension="H-1"', 'root="2.25.999.3" extension="L-1"'))
    assert fed.verdict == "CA"


def test_a_patient_with_a_thousand_times_too_much_is_refused_at_once(desk: Desk) -> None:
    one = '<id root="2.25.999.1" extension="H-1"/>'
    refused = desk.ask("iti44_added", (one, one * 6000))
    assert refused.verdict == "CE 102"


@pytest.mark.parametrize("garbage", ["<script/>", "\x85\u200e", "'; --"])
def test_whatever_a_name_holds_the_answer_is_well_formed(desk: Desk, garbage: str) -> None:
    escaped = garbage.replace("<", "&lt;").replace(">", "&gt;")
    assert desk.ask("iti44_added", ("Weber", escaped)).verdict == "CA"
