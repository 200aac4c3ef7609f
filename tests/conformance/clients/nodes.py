"""Clients that are nodes: one that sends audit records, and a PIX Manager that tells of changes."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from affinity.audit_outbox import APP_NAME
from affinity.collector_fhir import FHIRCollector
from affinity.collector_tls import TLSCollector
from affinity.collector_udp import UDPCollector
from affinity.collectors import Collector, Lost, Parcel
from affinity.consumers import BINDING, MLLPConsumer
from atna.dicom_writing import write
from atna.events import started
from atna.fhir import write as write_fhir
from atna.model import AuditMessage, AuditSource, EventActionCode
from atna.participants import ThisNode
from atna.syslog import IHE_MSGID, SyslogMessage, encode
from ihe.audit import QUERY, transaction_code
from ihe.datatypes import CX
from ihe.identifiers import new_oid
from mllp.client import Address
from pix.iti10 import Route
from pix.iti46 import Devices, record_revised
from pix.update_notifications import Notification, State
from pix.v3_answers import Community
from soap.client import client_tls
from tests.conformance.clients.change import NOTHING_CAME, Change, unchanged
from tests.conformance.clients.web import Web

NODE = ThisNode(source=AuditSource(id="lis@lab.example"), process_id="4711", host="lis.example")


@dataclass
class Auditor(Web):
    """A Secure Node. ``change`` is applied to the record of the step that it names."""

    step: str = ""
    change: Change = unchanged

    def act(self, step: str) -> None:
        """Do what a step asks."""
        record = started(NODE, datetime.now(UTC)) if step == "start" else self.queried()
        content = self.spelled(record)
        if step == "collector-away":
            self.send(content)
        self.send(self.change(content) if step == self.step else content)

    def queried(self) -> AuditMessage:
        record = started(NODE, datetime.now(UTC))
        code = transaction_code("ITI-18", "Registry Stored Query")
        return replace(record, event=replace(record.event, id=QUERY, types=(code,), action=EventActionCode.EXECUTE))

    def spelled(self, record: AuditMessage) -> bytes:
        if "https" in self.session.ports:
            return json.dumps(write_fhir(record)).encode()
        message = SyslogMessage(
            timestamp=record.event.time,
            hostname="lis.example",
            app_name=APP_NAME,
            msg_id=IHE_MSGID,
            content=write(record),
        )
        return encode(message)

    def send(self, content: bytes) -> None:
        collector = self.collector()
        with suppress(Lost):
            collector.send([Parcel(number=1, content=content)])
            collector.confirm()
        collector.hang_up()

    def collector(self) -> Collector:
        ports, shown = self.session.ports, self.session.certificates.client

        def context():  # type: ignore[no-untyped-def]
            return client_tls(shown.authorities, shown.certificate, shown.key)

        if "syslog_udp" in ports:
            return UDPCollector("127.0.0.1", ports["syslog_udp"])
        if "syslogs" in ports:
            return TLSCollector("127.0.0.1", ports["syslogs"], context)
        return FHIRCollector("127.0.0.1", ports["https"], "/fhir", context)


@dataclass
class Manager(Web):
    """A PIX Manager. ``change`` is applied to what it tells in the step that it names."""

    step: str = ""
    change: Change = unchanged

    def act(self, step: str) -> None:
        """Do what a step asks."""
        news = self.news()
        if step == "notify-v3":
            self.tell_v3(news)
            return
        if step == "lost-acknowledgement":
            self.tell(news)
        self.tell(self.change(news) if step == self.step else news)

    def news(self) -> Notification:
        world = self.session.course.world
        ids = (CX("SIM-1", world.authority.hd), world.elsewhere)
        return Notification(
            subscriber="consumer",
            person=1,
            identifiers=ids,
            number=1,
            message_id=f"{int(new_oid()[5:]):032x}",  # type: ignore[arg-type]
            at=datetime.now(UTC),
            state=State.PENDING,
            attempts=0,
            due=datetime.now(UTC),
            error=None,
        )

    def tell(self, news: Notification) -> None:
        route = Route(application="MPI", facility="MPI", receiving_application="HIS", receiving_facility="HIS")
        consumer = MLLPConsumer(Address(host="127.0.0.1", port=self.session.ports["consumer_mllp"]), route)
        consumer.tell(news)
        consumer.hang_up()

    def tell_v3(self, news: Notification) -> None:
        devices = Devices(sender="2.25.1", receiver="2.25.2", community=Community(oid="2.25.3", name="here"))
        with suppress(*NOTHING_CAME):
            self.client("/pix-consumer").call(BINDING, [record_revised(news, devices)])
