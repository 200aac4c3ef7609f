"""ITI-18, ITI-45 and ITI-47 through zeep, which knows nothing but the WSDL that the node publishes."""

from collections.abc import Iterator
from functools import partial

import zeep
from lxml.etree import QName, _Element, fromstring

from interop.cases import Case, case
from interop.messages import RED, new_oid

DEVICE = "1.3.6.1.4.1.21367.13.20.4242"


def tell(port: int, patient: str, family: str) -> Iterator[Case]:
    """Ask for a patient of IHERED who has a document, with the strict WSDL and the lax one."""
    clients = Clients(f"http://127.0.0.1:{port}")
    for path in ("/xds/registry", "/xds/repository", "/pix", "/pdq"):
        for variant in ("wsdl", "wsdl&lax"):
            yield case("WSDL", f"zeep loads {path}?{variant}", partial(clients.load, path, variant))
    yield case("ITI-18", "zeep, strict WSDL", lambda: clients.stored_query(patient))
    yield case("ITI-45", "zeep, strict WSDL", lambda: clients.identifiers(patient))
    yield case("ITI-47", "zeep, strict WSDL", lambda: clients.demographics(family, "OK"))
    yield case("ITI-47", "zeep, strict WSDL, nobody", lambda: clients.demographics("Nobodyhasthisname", "NF"))


class Clients:
    """One zeep client for each path; the WSDL is read once."""

    def __init__(self, url: str) -> None:
        self._url = url

    def load(self, path: str, variant: str) -> str:
        """The operations of a WSDL."""
        return f"{len(self._client(path, variant).service._operations)} operations"

    def stored_query(self, patient: str) -> str:
        """FindDocuments, in full."""
        client = self._client("/xds/registry", "wsdl", strict=False)
        slots = {
            "$XDSDocumentEntryPatientId": f"'{patient}^^^&{RED}&ISO'",
            "$XDSDocumentEntryStatus": "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
        }
        answer = client.service["DocumentRegistry_RegistryStoredQuery"](
            ResponseOption={"returnType": "LeafClass", "returnComposedObjects": True},
            AdhocQuery={
                "id": "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
                "Slot": [{"name": name, "ValueList": {"Value": [value]}} for name, value in slots.items()],
            },
        )
        _expect(answer.status.endswith(":Success"), answer)
        return f"{str(answer.RegistryObjectList).count('XDSDocumentEntry.uniqueId')} entries"

    def identifiers(self, patient: str) -> str:
        """PRPA_IN201309UV02: an answer that says the patient is known."""
        value = f'<value root="{RED}" extension="{patient}"/>'
        asked = f"<patientIdentifier>{value}<semanticsText>Patient.id</semanticsText></patientIdentifier>"
        person = f'<assignedPerson classCode="ASSIGNED"><id root="{DEVICE}"/></assignedPerson>'
        author = f'<authorOrPerformer typeCode="AUT">{person}</authorOrPerformer>'
        return self._ask("/pix", "PIXManager", "PRPA_IN201309UV02", author + _query(asked, ""), ("NF", "OK"))

    def demographics(self, family: str, expected: str) -> str:
        """PRPA_IN201305UV02 by family name."""
        name = f"<value><family>{family}</family></value><semanticsText>LivingSubject.name</semanticsText>"
        query = _query(f"<livingSubjectName>{name}</livingSubjectName>", '<responseModalityCode code="R"/>')
        return self._ask("/pdq", "PDSupplier", "PRPA_IN201305UV02", query, (expected,))

    def _ask(self, path: str, actor: str, interaction: str, act: str, expected: tuple[str, ...]) -> str:
        """The WSDL leaves the content of v3 messages open, so it is built by hand; zeep does the rest."""
        client = self._client(path, "wsdl", strict=False)
        answer = client.service[f"{actor}_{interaction}"](_value_1=[*_message(interaction, act)], ITSVersion="XML_1.0")
        codes = {name: code for part in answer._value_1 for name, code in _codes(part)}
        _expect(codes.get("queryResponseCode") in expected, codes)
        return f"{codes['typeCode']} {codes['queryResponseCode']}"

    def _client(self, path: str, variant: str, *, strict: bool = True) -> zeep.Client:
        return zeep.Client(f"{self._url}{path}?{variant}", settings=zeep.Settings(strict=strict))


def _query(parameters: str, modality: str) -> str:
    return (
        f'<queryByParameter><queryId root="{new_oid()}"/><statusCode code="new"/>{modality}'
        f'<responsePriorityCode code="I"/>'
        f"<parameterList>{parameters}</parameterList></queryByParameter>"
    )


def _message(interaction: str, act: str) -> _Element:
    """The interaction with its transmission wrapper (ITI TF-2: O.1.1)."""
    receiver, sender = (
        f'<device classCode="DEV" determinerCode="INSTANCE"><id root="{root}"/></device>' for root in (RED, DEVICE)
    )
    return fromstring(
        f'<{interaction} xmlns="urn:hl7-org:v3"><id root="{new_oid()}"/><creationTime value="20260102030405"/>'
        f'<interactionId root="2.16.840.1.113883.1.6" extension="{interaction}"/><processingCode code="P"/>'
        f'<processingModeCode code="T"/><acceptAckCode code="AL"/><receiver typeCode="RCV">{receiver}</receiver>'
        f'<sender typeCode="SND">{sender}</sender><controlActProcess classCode="CACT" moodCode="EVN">'
        f'<code code="{interaction.replace("IN", "TE")}" codeSystem="2.16.840.1.113883.1.18"/>{act}'
        f"</controlActProcess></{interaction}>"
    )


def _codes(part: _Element) -> Iterator[tuple[str, str]]:
    """The first of each coded element, by its local name."""
    for element in reversed([*part.iter("{urn:hl7-org:v3}typeCode", "{urn:hl7-org:v3}queryResponseCode")]):
        yield QName(element).localname, element.get("code", "")


def _expect(held: bool, otherwise: object) -> None:
    if not held:
        raise AssertionError(str(otherwise))
