"""Consent documents of the registry take effect on the record in the transaction that registers or changes them.

After each change the documents that should be in effect, those that are approved, are compared with those that are: so
a replacement, a deprecation, an update, a removal and a move to another patient all end what they should end.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection, func, select

from affinity.record_file import Format, RecordRules
from consent import appc, bppc, documents, store
from consent.effects import Deed, deeds
from consent.model import Act
from consent.statements import ConsentDocument
from consent.xacml import APPC
from ihe.citations import Citation, tf3
from ihe.datatypes import CX
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient
from pix.manager import PatientIndex
from pix.persons_named import Sameness, sameness
from xds import repository_store
from xds.documents import DocumentStore
from xds.encryption import DamagedDocument, UnknownKey
from xds.model import AvailabilityStatus, DocumentEntry
from xds.tables import document_entry

log = structlog.get_logger()

READERS: Mapping[Format, tuple[Callable[[bytes], ConsentDocument], Citation]] = {
    Format.BPPC: (bppc.read, bppc.RULE),
    Format.APPC: (appc.read, APPC),
}
LARGEST = bppc.LIMITS.size
CONSENTS = 0x0D59
"""First number of the advisory lock of a patient's consents; those of the index have one number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDocuments:
    """The witness of the registry (``xds.witness``) that lets consents take effect."""

    rules: RecordRules
    patients: PatientIndex
    documents: DocumentStore
    repository_unique_id: str
    clock: Callable[[], datetime]

    def registered(self, connection: Connection, patient: Patient, entries: tuple[DocumentEntry, ...]) -> None:
        """Take up what is new; Rejected if a consent among ``entries`` cannot be read or kept to."""
        new = {each.unique_id for each in entries if str(each.format_code) in self.rules.formats and each.unique_id}
        if new or store.consents_given(connection, patient.keys):
            self._compare(connection, patient, new)

    def changed(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """End what is no more; a document that comes back takes effect again (``documents.take_up_again``)."""
        named = self.patients.current(connection, keys)
        found = {id: self.patients.resolve(connection, id) for id in set(named.values())}
        for patient in sorted((each for each in found.values() if each), key=lambda each: each.key):
            self._compare(connection, patient, set())

    def _compare(self, connection: Connection, patient: Patient, new: Collection[UniqueId]) -> None:
        _take_turns(connection, patient)
        approved = self._approved(connection, patient.keys)
        given = store.consents_given(connection, patient.keys)
        act = Act(actor="the patient, by a consent document", reason="no longer approved", at=self.clock())
        for each in given:
            if each.unique_id not in approved:
                documents.end(connection, patient, each, act)
        for unique_id in approved.keys() - {each.unique_id for each in given}:
            self._take_up(connection, patient, unique_id, approved[unique_id], must=unique_id in new)

    def _approved(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[UniqueId, Format]:
        this = document_entry.c
        query = select(this.unique_id, this.format_code).where(
            this.patient_key.in_(sorted(keys)),
            this.status == AvailabilityStatus.APPROVED,
            this.superseded.is_(False),
            this.format_code.in_(sorted(self.rules.formats)),
        )
        rows = connection.execute(query.order_by(this.id))
        return {UniqueId(each.unique_id): self.rules.formats[each.format_code] for each in rows}

    def _take_up(
        self, connection: Connection, patient: Patient, unique_id: UniqueId, format: Format, *, must: bool
    ) -> None:
        """``must``: the document is submitted just now. One from before consents were read is left, and told of."""
        now = self.clock()
        try:
            document, done = self._read(connection, patient, unique_id, format, now)
        except Rejected as rejected:
            if must:
                raise Rejected(*(_of(unique_id, each) for each in rejected.breaches)) from None
            log.warning("consent document has no effect", what=unique_id, codes=sorted(map(str, rejected.codes)))
            return
        reason = document.description[:500] or f"consent document ({format.value.upper()})"
        act = Act(actor="the patient, by a consent document", reason=reason, at=now)
        take_up = documents.take_up if must else documents.take_up_again
        take_up(connection, patient, unique_id, done, act, self.rules.delete_after)

    def _read(
        self, connection: Connection, patient: Patient, unique_id: UniqueId, format: Format, now: datetime
    ) -> tuple[ConsentDocument, tuple[Deed, ...]]:
        read, citation = READERS[format]
        document = read(self._bytes(connection, unique_id))
        found = list(self._strangers(connection, patient, document.patients, citation))
        try:
            done = deeds(document, self.rules.definitions, now, citation)
        except Rejected as rejected:
            raise Rejected(*found, *rejected.breaches) from None
        if found:
            raise Rejected(*found)
        return document, done

    def _bytes(self, connection: Connection, unique_id: UniqueId) -> bytes:
        stored = repository_store.documents(connection, self.repository_unique_id, (unique_id,)).get(unique_id)
        if stored is None:
            raise Rejected(_unreadable("A consent is submitted to this domain's own repository, which can read it"))
        if stored.content.size > LARGEST:
            raise Rejected(_unreadable(f"A consent document has at most {LARGEST} bytes"))
        try:
            return b"".join(self.documents.open(stored.content))
        except (DamagedDocument, UnknownKey):
            raise Rejected(_unreadable("The stored bytes of the consent document are whole")) from None

    def _strangers(
        self, connection: Connection, patient: Patient, named: Collection[CX], citation: Citation
    ) -> Iterator[Breach]:
        """A consent is that of the patient under whom it is registered, and of nobody else."""
        found = {each: sameness(connection, self.patients.domain, each, patient) for each in named}
        if Sameness.SAME not in found.values() or Sameness.ANOTHER in found.values():
            yield Breach(
                code=ErrorCode.INVALID_DOCUMENT_CONTENT,
                text="A consent document names the patient under whom it is registered, and nobody else",
                location="patientId",
                observed=", ".join(map(str, named)),
                citation=citation,
                remedy="Name the patient by the XDS patient id, or by an id that the patient index knows",
            )


def _take_turns(connection: Connection, patient: Patient) -> None:
    """Two changes of one patient's consents come one after the other; on SQLite all changes do."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CONSENTS, func.hashint8(patient.key))))


def _unreadable(text: str) -> Breach:
    return Breach(code=ErrorCode.INVALID_DOCUMENT_CONTENT, text=text, citation=tf3("Table 4.2.4.1-2"))


def _of(unique_id: UniqueId, breach: Breach) -> Breach:
    """ "The codeContext shall contain the uniqueID of the document in error" (ITI TF-3: Table 4.2.4.1-2)."""
    return replace(
        breach, text=f"Document {unique_id}: {breach.text}", location=f"{unique_id} {breach.location}".strip()
    )
