"""The story of the demonstration: who is announced, what is submitted, and the lines to the node that plays it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from affinity.catalogue import AnyTransaction
from affinity.client import xds
from affinity.client.hl7 import Announced
from affinity.demo.documents import Report, Subject, cda, pdf
from affinity.demo.stage import Party, Stage
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD, Code
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix import matricule
from soap.client import SOAPAnswer, SOAPClient
from xds.file_store import FileStore
from xds.model import Submission
from xua.authentication import XUAMode
from xua.envelope import security_header
from xua.people import DemoRole
from xua.sts import Defect

FAMILY, GIVEN, BIRTH_DATE, SEX = "Wolter-Étoile", "Léonie", "19870412", "F"
MATRICULE = matricule.complete(BIRTH_DATE + "017")
TWIN = "Lucie"
RECORD_NUMBER, STRANGER = "DEMO-1987-0412", "DEMO-NOBODY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One document of the submission: its bytes, its media type and its uniqueId."""

    content: bytes
    media_type: str
    unique_id: UniqueId


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run of the demonstration. ``downloads`` is where retrieved documents are put."""

    stage: Stage
    downloads: Path
    documents: tuple[Sent, ...]

    @property
    def patient_id(self) -> CX:
        """The patient's XDS patient id."""
        return CX(RECORD_NUMBER, HD("", self.stage.shared.oid, "ISO"))

    def announced(self, party: Party) -> Announced:
        """The patient as one party knows her: her number there, her record's number, her national id."""
        ids = {party.authority.oid: CX(f"{party.route.facility}-4711", party.authority.hd)}
        ids[self.stage.shared.oid] = CX(RECORD_NUMBER, self.stage.shared.hd)
        if self.stage.national:
            ids[self.stage.national.oid] = CX(MATRICULE, self.stage.national.hd, "NI")
        return Announced(
            identifiers=tuple(ids.values()),
            family=FAMILY,
            given=GIVEN,
            birth_date=BIRTH_DATE,
            sex=SEX,
            street="12, rue du Moulin",
            postal_code="L-9999",
            city="Exempelduerf",
        )

    def under_another_number(self, party: Party, number: str, given: str = "Leonie") -> Announced:
        """The patient as a clerk types her who knows no other number, or somebody else of her family."""
        id = CX(f"{party.route.facility}-{number}", party.authority.hd)
        return replace(self.announced(party), identifiers=(id,), given=given, family=FAMILY.replace("-", " "))

    def submission(self, patient_id: CX) -> Submission:
        """The laboratory's report and its PDF, described."""
        laboratory = self.stage.laboratory
        source = xds.Source(
            source_id=laboratory.oid,
            author_person="^GLIMS",
            author_institution=f"{laboratory.name}^^^^^^^^^{laboratory.oid}",
        )
        described = (
            self._described(self.documents[0], "Laboratory report"),
            self._described(self.documents[1], "Laboratory report (PDF)"),
        )
        local = CX(f"{laboratory.route.facility}-4711", HD("", laboratory.authority.oid, "ISO"))
        return xds.submission(patient_id, source, local, described)

    def _described(self, document: Sent, title: str) -> xds.Described:
        is_pdf = document.media_type == "application/pdf"
        format_code = "urn:ihe:iti:xds:2017:mimeTypeSufficient" if is_pdf else "urn:ihe:lab:xd-lab:2008"
        return xds.Described(
            title=title,
            mime_type=document.media_type,
            coding=self.stage.coding(formatCode=format_code),
            language_code="fr-LU" if self.stage.loaded.affinity_domain.codes.get("languageCode") else "en-us",
            creation_time=datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
            unique_id=document.unique_id,
        )

    def send(self, message: Message) -> Message:
        """Send an HL7 v2 message through the node's MLLP port."""
        address = mllp.Address(host=self.stage.host, port=self.stage.ports["mllp"])
        return parse(mllp.send(address, serialize(message)))

    def call(
        self,
        transaction: AnyTransaction,
        body: bytes,
        parts: Sequence[OutgoingPart] = (),
        *,
        role: DemoRole = DemoRole.TREATING_DOCTOR,
        purpose_of_use: Code | None = None,
        defect: Defect | None = None,
    ) -> SOAPAnswer:
        """Call one of the node's SOAP transactions as a person in ``role``, with an assertion where one is wanted."""
        binding = next(each for each in transaction.bindings if isinstance(each, SOAPBinding))
        client = SOAPClient(
            url=self.stage.url(transaction.responder),
            spool=FileStore(self.downloads, None).create,
        )
        return client.call(binding, [body], security=self._security(role, purpose_of_use, defect), parts=parts)

    def _security(self, role: DemoRole, purpose_of_use: Code | None, defect: Defect | None) -> bytes:
        if self.stage.mode is XUAMode.OFF:
            return b""
        assertion = self.stage.sts.issue(
            role, datetime.now(UTC), self.stage.audience, purpose_of_use=purpose_of_use, defect=defect
        )
        return security_header(assertion)


def begin(stage: Stage, downloads: Path) -> Story:
    """A new run: the same patient, a new report."""
    laboratory = stage.laboratory
    report = Report(
        unique_id=new_oid(),
        subject=Subject(
            local_id=f"{laboratory.route.facility}-4711",
            local_oid=laboratory.authority.oid,
            family=FAMILY,
            given=GIVEN,
            birth_date=BIRTH_DATE,
            sex=SEX,
        ),
        laboratory=laboratory.name,
        laboratory_oid=laboratory.oid,
        time=datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
    )
    documents = (
        Sent(content=cda(report), media_type="text/xml", unique_id=UniqueId(report.unique_id)),
        Sent(content=pdf(report), media_type="application/pdf", unique_id=UniqueId(new_oid())),
    )
    return Story(stage=stage, downloads=downloads, documents=documents)
