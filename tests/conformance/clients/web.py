"""Clients of web services: a LIS, a HIS, a doctor with an assertion."""

import ssl
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from affinity.client import xds
from affinity.client.bindings import soap_binding
from affinity.client.responses import object_refs
from affinity.client.sts import Wanted, request_assertion
from affinity.demo.documents import Report, Subject, cda
from conformance.clients.seeding import described_as
from conformance.clients.session import Session
from conformance.validators.http import Unkept
from ihe.exchange import OutgoingPart, Spool
from ihe.identifiers import UniqueId, new_oid
from soap.client import SOAPAnswer, SOAPClient, client_tls
from tests.conformance.clients.change import LONG, NOTHING_CAME, SHORT, Change, unchanged
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43
from xds.model import Submission
from xds.stored_queries import FIND_DOCUMENTS
from xua.envelope import security_header
from xua.people import DemoRole

APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
DOORS = {"expired-certificate": "https_expired", "unknown-authority": "https_stranger"}
"""Where the client is pointed in these steps."""


@dataclass
class Web:
    """What every client of web services has: where, with which certificates."""

    session: Session

    @property
    def tls(self) -> ssl.SSLContext:
        shown = self.session.certificates.client
        return client_tls(shown.authorities, shown.certificate, shown.key)

    def client(self, path: str, door: str = "http", timeout: float = LONG, spool: Spool | None = None) -> SOAPClient:
        tls = None if door == "http" else self.tls
        return SOAPClient(url=self.session.addresses[door] + path, tls=tls, timeout=timeout, spool=spool)


@dataclass
class LIS(Web):
    """A Document Source. ``change`` is applied to each submission before it is sent, in the step that it names."""

    step: str = ""
    change: Change = unchanged
    sent: list[tuple[Submission, bytes]] = field(default_factory=list)

    def act(self, step: str) -> None:
        """Do what a step asks."""
        door = DOORS.get(step, "http")
        getattr(self, step.replace("-", "_"), lambda: self.try_to_send(self.report(), door=door))()

    def submit_report(self) -> None:
        self.send(*self.report("submit-report"))

    def replace_report(self) -> None:
        first = self.registered()
        described, content = self.report("replace-report")
        entries = described.document_entries
        self.send(xds.assemble(described.submission_set, entries, first), content)

    def late_answer(self) -> None:
        self.twice("late-answer", SHORT)

    def answer_not_well_formed(self) -> None:
        self.twice("answer-not-well-formed")

    def soap_fault(self) -> None:
        self.twice("soap-fault")

    def metadata_error(self) -> None:
        self.refused("metadata-error")

    def duplicate_unique_id(self) -> None:
        self.refused("duplicate-unique-id")

    def twice(self, step: str, timeout: float = LONG) -> None:
        """The same submission again, when nothing is known of the first."""
        first = self.report()
        self.try_to_send(first, timeout)
        self.try_to_send(self.change(first) if step == self.step else first)

    def refused(self, step: str) -> None:
        """A corrected report in a submission of its own."""
        first = self.report()
        self.try_to_send(first)
        self.try_to_send(self.change(first) if step == self.step else self.report())

    def report(self, step: str = "") -> tuple[Submission, bytes]:
        """A new report about the patient."""
        world, now = self.session.course.world, datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        unique_id = new_oid()
        subject = Subject(
            local_id=world.patient.id,
            local_oid=world.authority.oid,
            family=world.family,
            given=world.given,
            birth_date=world.birth_date,
            sex="F",
        )
        content = cda(Report(unique_id=unique_id, subject=subject, laboratory="Lab", laboratory_oid="2.25.1", time=now))
        source = xds.Source(source_id="2.25.1", author_person="^Lab", author_institution="Lab^^^^^^^^^2.25.1")
        described = described_as(world.domain, unique_id, now)
        made = xds.submission(world.patient, source, world.patient, [described]), content
        return self.change(made) if step and step == self.step else made

    def send(self, described: Submission, content: bytes, door: str = "http", timeout: float = LONG) -> SOAPAnswer:
        part = OutgoingPart(
            content_id="1@lab", media_type="text/xml", size=len(content), chunks=lambda: iter((content,))
        )
        body = xds.provide_and_register(described, ["1@lab"])
        return self.client("/xds/repository", door, timeout).call(soap_binding(ITI_41), [body], parts=(part,))

    def try_to_send(self, made: tuple[Submission, bytes], timeout: float = LONG, door: str = "http") -> None:
        with suppress(*NOTHING_CAME):
            self.send(*made, door=door, timeout=timeout)

    def registered(self) -> str:
        """The entry of the last report, as its source would keep it: asked for past the record here."""
        slots = (("$XDSDocumentEntryPatientId", (xds.quoted(str(self.session.course.world.patient)),)),)
        query = xds.stored_query(FIND_DOCUMENTS.id, (*slots, ("$XDSDocumentEntryStatus", (APPROVED,))), "ObjectRef")
        return object_refs(self.client("/xds/registry").call(soap_binding(ITI_18), [query]).body)[-1]


@dataclass
class HIS(Web):
    """A Document Consumer. ``change`` is applied to the body of the last request of the step that it names."""

    step: str = ""
    change: Change = unchanged

    def act(self, step: str) -> None:
        """Do what a step asks."""
        door = DOORS.get(step, "http")
        again = step in ("altered-document", "cut-package", "unknown-patient", "no-answer")
        retrieves = step in ("retrieve", "altered-document", "cut-package")
        body = self.retrieval() if retrieves else self.query()
        if again:
            self.send(body, door, retrieves=retrieves)
        if step == "too-many-results":
            self.send(body, door)
            body = self.query("ObjectRef")
        self.send(self.change(body) if step == self.step else body, door, retrieves=retrieves)

    def query(self, returns: str = "LeafClass") -> bytes:
        slots = (("$XDSDocumentEntryPatientId", (xds.quoted(str(self.session.course.world.patient)),)),)
        return xds.stored_query(FIND_DOCUMENTS.id, (*slots, ("$XDSDocumentEntryStatus", (APPROVED,))), returns)

    def retrieval(self) -> bytes:
        world = self.session.course.world
        return xds.retrieve([(world.domain.repository_unique_id, world.documents[0].unique_id)])

    def send(self, body: bytes, door: str, *, retrieves: bool = False) -> None:
        with suppress(*NOTHING_CAME):
            self.call(body, door, retrieves=retrieves)

    def call(self, body: bytes, door: str = "http", *, retrieves: bool = False) -> SOAPAnswer:
        path, transaction = ("/xds/repository", ITI_43) if retrieves else ("/xds/registry", ITI_18)
        return self.client(path, door, spool=Unkept).call(soap_binding(transaction), [body])


@dataclass
class Doctor(Web):
    """An X-Service User with the development STS. ``change`` is applied to the header of the step that it names."""

    step: str = ""
    change: Change = unchanged

    def act(self, step: str) -> None:
        """Do what a step asks."""
        door = DOORS.get(step, "https")
        if step == "get-assertion":
            self.header()
            return
        first = self.header()
        if step == "failed-authentication":
            self.send(first, door)
            first = self.change(first) if step == self.step else self.header()
        elif step == self.step:
            first = self.change(first)
        self.send(first, door)

    def header(self) -> bytes:
        audience = self.session.course.world.domain.home_community_id
        wanted = Wanted(role=DemoRole.TREATING_DOCTOR, audience=audience)
        return security_header(request_assertion(self.client("/sts", "https"), wanted))

    def send(self, security: bytes, door: str) -> None:
        with suppress(*NOTHING_CAME):
            query = HIS(self.session).query()
            self.client("/xds/registry", door).call(soap_binding(ITI_18), [query], security=security)


def with_new_unique_id(made: tuple[Submission, bytes]) -> tuple[Submission, bytes]:
    """The same document, as if it were another one."""
    described, content = made
    entry = replace(described.document_entries[0], unique_id=UniqueId(new_oid()))
    packed = replace(described.submission_set, unique_id=UniqueId(new_oid()))
    return xds.assemble(packed, (entry,)), content
