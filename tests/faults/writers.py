"""Senders of every transaction that changes something, for tests that kill the node while they are at work.

Each step returns what was acknowledged, or None once the node is gone; what is not acknowledged is noted as sent.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Semaphore

from affinity.client import xds
from affinity.domain import load
from hl7v2.er7 import parse
from ihe.datatypes import CX, HD
from ihe.exchange import OutgoingPart
from ihe.identifiers import EntryUUID, UniqueId, new_entry_uuid, new_oid
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix.iti44 import ITI_44
from soap.client import NoAnswer
from tests.end_to_end.conftest import RunningNode
from tests.faults.sending import (
    RED,
    REGISTRY_PATH,
    REPOSITORY_PATH,
    address,
    admission,
    call,
    content,
    described,
    submission,
)
from xds.ebrim_writing import encode
from xds.iti41 import ITI_41
from xds.iti42 import ITI_42
from xds.iti57 import ITI_57
from xds.iti61 import ITI_61
from xds.iti62 import ITI_62
from xds.iti86 import ITI_86
from xds.model import LocalizedString, ObjectType, Submission

ADDED = (Path(__file__).parents[1] / "pix/v3/messages/iti44_added.xml").read_text()
NATIONAL, BLUE = '"2.25.999.9"', '"1.3.6.1.4.1.21367.13.20.3000"'
CHANGING = ("A40", "ITI-8", "ITI-41", "ITI-42", "ITI-44", "ITI-57", "ITI-61", "ITI-62", "ITI-86")
SOURCE = xds.Source(source_id="1.2.3.4", author_person="^Doe", author_institution="Ward")
REPOSITORY = load("connectathon").affinity_domain.repository_unique_id


@dataclass
class Writers:
    """Who writes to ``node``. By transaction: what was sent and what was acknowledged, by id."""

    node: RunningNode
    owner: CX
    acknowledged: Semaphore
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def steps(self) -> tuple[Callable[[], bool], ...]:
        """One for each sender; False once the node is gone."""
        return (
            self.admit,
            self.announce_and_merge,
            self.add,
            self.register_on_demand,
            self.register_and_update,
            self.register_and_remove,
            self.provide_and_remove,
        )

    @property
    def have_all_been_heard(self) -> bool:
        """Claim that at least one of every transaction was acknowledged."""
        return all(self.kept[each] for each in CHANGING)

    def admit(self) -> bool:
        """ITI-8."""
        patient = f"A04-{next(self._numbers)}"
        message = (
            f"MSH|^~\\&|HIS|WARD|A|A|20260102||ADT^A04^ADT_A01|{patient}|P|2.3.1\rEVN|A04|20260102\r"
            f"PID|||{patient}^^^&{RED.universal_id}&ISO||Sturdy{patient}^Ada||19610307|F\rPV1||O\r"
        )
        self.sent["ITI-8"].append(patient)
        return self.feed(message.encode()) and self.keep("ITI-8", patient)

    def announce_and_merge(self) -> bool:
        """ITI-30: two patients, then A40, by which one of them is the other."""
        patient = f"A40-{next(self._numbers)}"
        merge = (
            f"MSH|^~\\&|HIS|WARD|A|A|20260102||ADT^A40^ADT_A39|{patient}|P|2.5\rEVN||20260102\r"
            f"PID|||{patient}-KEPT^^^&{RED.universal_id}&ISO||Sturdy{patient}^Ada||19610307|F\r"
            f"MRG|{patient}^^^&{RED.universal_id}&ISO\r"
        )
        if not all(self.feed(admission(each)) for each in (patient, f"{patient}-KEPT")):
            return False
        self.sent["A40"].append(patient)
        return self.feed(merge.encode()) and self.keep("A40", patient)

    def add(self) -> bool:
        """ITI-44."""
        patient = f"V3-{next(self._numbers)}"
        body = ADDED.replace('root="2.25.999.1" extension="H-1"', f'root="{RED.universal_id}" extension="{patient}"')
        body = body.replace('root="2.25.999.100" extension="1"', f'root="2.25.999.100" extension="{patient}"')
        body = body.replace('extension="1980051512305"', f'extension="NAT-{patient}"').replace(NATIONAL, BLUE)
        body = body.partition("-->")[2].replace("<family>Weber<", f"<family>Sturdy{patient}<")
        return self.send("ITI-44", patient, "/pix", ITI_44.bindings[0], body.strip().encode())

    def register_on_demand(self) -> bool:
        """ITI-61."""
        made = self._described()
        entry = replace(
            made.document_entries[0], object_type=ObjectType.ON_DEMAND, hash=None, size=None, creation_time=None
        )
        return self._submit("ITI-61", ITI_61.bindings[0], replace(made, document_entries=(entry,)))

    def register_and_update(self) -> bool:
        """ITI-42, then ITI-57: the entry gets another title."""
        made = self._described()
        if not self._submit("ITI-42", ITI_42.bindings[0], made):
            return False
        old = made.document_entries[0]
        new = replace(old, entry_uuid=new_entry_uuid(), logical_id=old.entry_uuid, title=(LocalizedString("Other"),))
        package = replace(made.submission_set, entry_uuid=new_entry_uuid(), unique_id=UniqueId(new_oid()))
        update = xds.assemble(package, (new,))
        link = replace(update.associations[0], entry_uuid=new_entry_uuid(), previous_version=1)
        return self._submit("ITI-57", ITI_57.bindings[0], replace(update, associations=(link,)))

    def register_and_remove(self) -> bool:
        """ITI-42, then ITI-62: nothing is left of the submission."""
        made = self._described()
        if not self._submit("ITI-42", ITI_42.bindings[0], made):
            return False
        objects = (made.submission_set, *made.document_entries, *made.associations)
        references = "".join(f'<rim:ObjectRef id="{each.entry_uuid}"/>' for each in objects)
        body = (
            '<l:RemoveObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
            ' xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
            f"<rim:ObjectRefList>{references}</rim:ObjectRefList></l:RemoveObjectsRequest>"
        )
        removed = str(made.document_entries[0].unique_id)
        return self.send("ITI-62", removed, REGISTRY_PATH, ITI_62.bindings[0], body.encode())

    def provide_and_remove(self) -> bool:
        """ITI-41, then ITI-86: the document is gone, its metadata stay."""
        unique_id = new_oid()
        sent = content(unique_id)
        part = OutgoingPart(content_id="d@x", media_type="text/plain", size=len(sent), chunks=lambda: iter((sent,)))
        body = submission(self.owner, UniqueId(unique_id), "d@x")
        if not self.send("ITI-41", unique_id, REPOSITORY_PATH, ITI_41.bindings[0], body, part):
            return False
        request = xds.retrieve([(REPOSITORY, unique_id)]).decode().partition(">")[2].rpartition("<")[0]
        request = (
            f'<r:RemoveDocumentsRequest xmlns:r="urn:ihe:iti:rmd:2017" xmlns="urn:ihe:iti:xds-b:2007">{request}'
            "</r:RemoveDocumentsRequest>"
        )
        return self.send("ITI-86", unique_id, REPOSITORY_PATH, ITI_86.bindings[0], request.encode())

    def _described(self) -> Submission:
        """A submission of one document that another repository has, under ids of our own."""
        made = xds.submission(
            CX(self.owner.id, HD("", RED.universal_id, "ISO")), SOURCE, self.owner, [described(UniqueId(new_oid()))]
        )
        entry = replace(
            made.document_entries[0], entry_uuid=new_entry_uuid(), hash="0" * 40, size=1, repository_unique_id="2.25.9"
        )
        package = replace(made.submission_set, entry_uuid=new_entry_uuid())
        assembled = xds.assemble(package, (entry,))
        links = tuple(replace(each, entry_uuid=EntryUUID(new_entry_uuid())) for each in assembled.associations)
        return replace(assembled, associations=links)

    def _submit(self, transaction: str, binding: object, made: Submission) -> bool:
        return self.send(transaction, str(made.document_entries[0].unique_id), REGISTRY_PATH, binding, encode(made))

    def send(self, transaction: str, key: str, path: str, binding: object, body: bytes, *parts: OutgoingPart) -> bool:
        assert isinstance(binding, SOAPBinding)
        self.sent[transaction].append(key)
        try:
            answer = call(self.node, path, binding, body, *parts).body
        except (OSError, NoAnswer):
            return False
        codes = {each.get("code") for each in answer.iter("{urn:hl7-org:v3}typeCode")}
        is_good = str(answer.get("status")).endswith(":Success") or codes == {"CA"}
        assert is_good, [dict(each.attrib) for each in answer.iter()]
        return self.keep(transaction, key)

    def feed(self, message: bytes) -> bool:
        try:
            answer = mllp.send(address(self.node), message)
        except mllp.MLLPError:
            return False
        assert parse(answer)["MSA"].text(1) == "AA", answer
        return True

    def keep(self, transaction: str, key: str) -> bool:
        self.kept[transaction].append(key)
        self.acknowledged.release()
        return True
