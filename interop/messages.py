"""The messages that the hand-written clients send, with the codes of the connectathon domain."""

import socket
import uuid

PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSet"
RED = "1.3.6.1.4.1.21367.13.20.1000"
SOURCE = "1.3.6.1.4.1.21367.13.20.4242"
SUBMISSION_SET = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SCHEME = "urn:uuid:"
SNOMED = "2.16.840.1.113883.6.96"
CODES = (
    ("41a5887f-8865-4c09-adf7-e362475b143a", "REPORTS", "1.3.6.1.4.1.19376.1.2.6.1"),
    ("f0306f51-975f-434e-a61c-c59651d33983", "11502-2", "2.16.840.1.113883.6.1"),
    ("a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3"),
    ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "22232009", SNOMED),
    ("cccf5598-8b07-4b77-a05e-ae952c785ead", "309950003", SNOMED),
    ("f4f85eac-e6cb-4883-b524-f2705394840f", "N", "2.16.840.1.113883.5.25"),
)
"""Classification scheme, code and coding scheme of the coded attributes (ITI TF-3: 4.2.5.2)."""


def new_oid() -> str:
    """A fresh OID under 2.25."""
    return f"2.25.{uuid.uuid4().int}"


def envelope(action: str, body: str) -> str:
    """A SOAP 1.2 envelope as WCF writes it: mustUnderstand as 1, an anonymous ReplyTo."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
        f'<s:Header><a:Action s:mustUnderstand="1">{action}</a:Action>'
        f"<a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>"
        "<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>"
        f'<a:To s:mustUnderstand="1">http://localhost/xds</a:To></s:Header><s:Body>{body}</s:Body></s:Envelope>'
    )


def retrieve_body(repository: str, unique_id: str) -> str:
    """A RetrieveDocumentSetRequest for one document."""
    return (
        '<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><DocumentRequest>'
        f"<RepositoryUniqueId>{repository}</RepositoryUniqueId><DocumentUniqueId>{unique_id}</DocumentUniqueId>"
        "</DocumentRequest></RetrieveDocumentSetRequest>"
    )


def provide_body(patient_id: str, unique_id: str, document: str) -> str:
    """A ProvideAndRegisterDocumentSetRequest; ``document`` is an xop:Include or base64."""
    coded = "".join(_classification("Doc1", f"{SCHEME}{scheme}", code, system) for scheme, code, system in CODES)
    content_type = _classification("Set1", f"{SCHEME}aa543740-bdda-424e-8c96-df4873be8500", "394747008", SNOMED)
    entry = (
        f'<ExtrinsicObject id="Doc1" mimeType="text/plain" objectType="{SCHEME}7edca82f-054d-47f2-a032-9b2a5b5186c1">'
        f"{_slot('creationTime', '20260102')}{_slot('languageCode', 'de-LU')}"
        f"{_slot('sourcePatientId', patient_id)}{coded}"
        f"{_identifier('Doc1', '58a6f841-87b3-4a3e-92fd-a8ffeff98427', patient_id, 'XDSDocumentEntry.patientId')}"
        f"{_identifier('Doc1', '2e82c1f6-a085-4c72-9da3-8640a32e42ab', unique_id, 'XDSDocumentEntry.uniqueId')}"
        "</ExtrinsicObject>"
    )
    package = (
        f'<RegistryPackage id="Set1">{_slot("submissionTime", "20260102030405")}{content_type}'
        f"{_identifier('Set1', '6b5aea1a-874d-4603-a4bc-96a0a7b38446', patient_id, 'XDSSubmissionSet.patientId')}"
        f"{_identifier('Set1', '96fdda7c-d067-4183-912e-bf5ee74998a8', new_oid(), 'XDSSubmissionSet.uniqueId')}"
        f"{_identifier('Set1', '554ac39e-e3fe-47fe-b233-965d2a147832', SOURCE, 'XDSSubmissionSet.sourceId')}"
        f'</RegistryPackage><Classification id="cl0" classifiedObject="Set1" classificationNode="{SUBMISSION_SET}"/>'
        f'<Association id="as1" associationType="{HAS_MEMBER}" sourceObject="Set1"'
        f' targetObject="Doc1">{_slot("SubmissionSetStatus", "Original")}</Association>'
    )
    return (
        '<x:ProvideAndRegisterDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007">'
        '<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0">'
        f'<RegistryObjectList xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">{entry}{package}</RegistryObjectList>'
        f'</l:SubmitObjectsRequest><x:Document id="Doc1">{document}</x:Document>'
        "</x:ProvideAndRegisterDocumentSetRequest>"
    )


def announce(port: int, patient: str, family: str, given: str) -> str:
    """ITI-8 over a plain socket; the patient's XDS id."""
    message = (
        f"MSH|^~\\&|INTEROP|HAND|AFFINITY|AFFINITY|20260102030405||ADT^A04^ADT_A01|{uuid.uuid4().hex[:20]}|P|2.3.1\r"
        f"EVN|A04|20260102030405\rPID|||{patient}^^^&{RED}&ISO||{family}^{given}||19610307|F\rPV1||O\r"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"\x0b" + message.encode() + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += connection.recv(4096) or b"\x1c\r"
    if b"MSA|AA|" not in answer:
        raise AssertionError(repr(answer))
    return f"{patient}^^^&amp;{RED}&amp;ISO"


def _classification(whose: str, scheme: str, code: str, system: str) -> str:
    return (
        f'<Classification id="cl{uuid.uuid4()}" classifiedObject="{whose}" classificationScheme="{scheme}"'
        f' nodeRepresentation="{code}">'
        f'{_slot("codingScheme", system)}<Name><LocalizedString value="{code}"/></Name></Classification>'
    )


def _identifier(whose: str, scheme: str, value: str, name: str) -> str:
    return (
        f'<ExternalIdentifier id="ei{uuid.uuid4()}" registryObject="{whose}" identificationScheme="{SCHEME}{scheme}"'
        f' value="{value}">'
        f'<Name><LocalizedString value="{name}"/></Name></ExternalIdentifier>'
    )


def _slot(name: str, value: str) -> str:
    return f'<Slot name="{name}"><ValueList><Value>{value}</Value></ValueList></Slot>'
