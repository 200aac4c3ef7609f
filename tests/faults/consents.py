"""Senders of acts of consent, for tests that kill the node and the desk while they are at work.

Each act is about a patient of its own, or the next one about the same; a chain of them is one line of ``CHAINS``.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from affinity.client import xds
from consent import fhir_writing
from consent.statements import Attribute, Condition, ConsentDocument, Effect, Statement
from ihe.datatypes import CX, HD, Code
from ihe.exchange import OutgoingPart
from ihe.identifiers import EntryUUID, UniqueId, new_entry_uuid, new_oid
from soap.client import NoAnswer
from tests.faults.consent_scene import DOCTOR, NUMBERS, PARTY, Desk, Scene
from tests.faults.sending import CODING, RED, REPOSITORY_PATH, admission, call, described
from tests.faults.writers import SOURCE, Writers
from xds.iti41 import ITI_41
from xds.model import Submission
from xua.people import EMERGENCY, TREATMENT

PERMITS = (Path(__file__).parents[1] / "consent/appc.xml").read_text().replace('Effect="Deny"', 'Effect="Permit"')
OPPOSES = (Path(__file__).parents[1] / "consent/bppc.xml").read_text().replace('<high value="20261231"/>', "")
UNREADABLE = PERMITS.replace("deny-overrides", "permit-overrides")
APPC, BPPC = "urn:ihe:iti:appc:2016:consent", "urn:ihe:iti:bppc:2007"
CHAINS = {
    "CONSENT": ("consent", "opposition"),
    "ENCOUNTER": ("encounter", "exclude"),
    "EMERGENCY": ("emergency",),
    "REFUSED": ("refused",),
}
"""The acts about each patient in their order, by the beginning of the patient's id."""
SILENT = Code(EMERGENCY.code, EMERGENCY.scheme)
"""An emergency without a reason: it breaks no glass, and looks through what is broken."""


@dataclass
class Consents:
    """Who consents, beside ``writers``. By act: of which patients it was sent, and of which acknowledged."""

    writers: Writers
    scene: Scene
    desk: Desk
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    documents: dict[str, str] = field(default_factory=dict)
    """The uniqueId of each consent document that was sent, by act and patient."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def steps(self) -> tuple[Callable[[], bool], ...]:
        """One for each sender; False once the node is gone."""
        return self.consent_and_oppose, self.let_in_and_exclude, self.break_the_glass, self.submit_unreadable

    @property
    def have_all_been_heard(self) -> bool:
        """Claim that at least one of every act was acknowledged."""
        return all(self.kept[act] for chain in CHAINS.values() for act in chain)

    def known(self) -> set[str]:
        """The patients whom the doctor's query knows now; in an emergency, where there was one."""
        asked = {each: TREATMENT for act in self.sent for each in self.sent[act]}
        asked |= dict.fromkeys(self.sent["emergency"], SILENT)
        return {each for each in asked if self.scene.is_known(self.writers.node, _id(each), asked[each])}

    def consent_and_oppose(self) -> bool:
        """ITI-41: an APPC document that lets the doctor's organisation in, then a BPPC document that replaces it."""
        patient = self._announced("CONSENT")
        if patient is None:
            return False
        first = new_entry_uuid()
        permits = _about(patient, PERMITS.replace("urn:oid:2.999.2.1", DOCTOR.organization_id))
        if not self._submit("consent", patient, permits, APPC, first):
            return False
        opposes = _about(patient, OPPOSES.replace('code="share"', 'code="object"'))
        return self._submit("opposition", patient, opposes, BPPC, new_entry_uuid(), first)

    def let_in_and_exclude(self) -> bool:
        """ITI-31: the doctor attends the patient, who then has them shut out at the desk. It lives without the node."""
        patient = self._announced("ENCOUNTER")
        if patient is None:
            return False
        id, attending = f"{patient}^^^&{RED.universal_id}&ISO", f"{DOCTOR.npi}^Wampach^Joris^^^^^^&{NUMBERS}&ISO"
        message = (
            f"MSH|^~\\&|HIS|WARD|A|A|20260102||ADT^A01^ADT_A01|V{patient}|P|2.5\rEVN||20260102\r"
            f"PID|||{id}||Sturdy{patient}^Ada||19700101|F\rPV1||I|W^1^2||||{attending}||||||||||||V{id}\r"
        )
        self.sent["encounter"].append(patient)
        if not self.writers.feed(message.encode()):
            return False
        self._keep("encounter", patient)
        self.sent["exclude"].append(patient)
        if self.desk.does(*self._exclusion(patient), "--reason", f"excluded by {patient}"):
            self._keep("exclude", patient)
        return True

    def break_the_glass(self) -> bool:
        """ITI-18 in an emergency."""
        patient = self._announced("EMERGENCY")
        if patient is None:
            return False
        self.sent["emergency"].append(patient)
        reason = Code(EMERGENCY.code, EMERGENCY.scheme, f"found unconscious: {patient}")
        try:
            assert self.scene.is_known(self.writers.node, _id(patient), reason)
        except (OSError, NoAnswer):
            return False
        return self._keep("emergency", patient)

    def submit_unreadable(self) -> bool:
        """ITI-41: a consent document that nobody can keep to, which is refused."""
        patient = self._announced("REFUSED")
        if patient is None:
            return False
        return self._submit("refused", patient, _about(patient, UNREADABLE), APPC, new_entry_uuid())

    def _exclusion(self, patient: str) -> tuple[str, ...]:
        """What is typed: each second time the FHIR Consent that says the same of the doctor's organisation."""
        if len(self.sent["exclude"]) % 2:
            return "exclude", str(_id(patient)), PARTY
        shut_out = Condition(Attribute.ORGANIZATION_ID, DOCTOR.organization_id)
        rule = Statement(rule=Effect.DENY, conditions=frozenset({shut_out}))
        document = ConsentDocument(id=patient, patients=(_id(patient),), statements=(rule,))
        file = self.scene.certificate.with_name(f"{patient}.json")
        file.write_text(json.dumps(fhir_writing.write(document)))
        return "import", str(file)

    def _announced(self, kind: str) -> str | None:
        patient = f"{kind}-{next(self._numbers)}"
        return patient if self.writers.feed(admission(patient)) else None

    def _submit(
        self, act: str, patient: str, text: str, format: str, entry: EntryUUID, replaced: str | None = None
    ) -> bool:
        unique_id, data = UniqueId(new_oid()), text.encode()
        self.sent[act].append(patient)
        self.documents[f"{act} {patient}"] = unique_id
        part = OutgoingPart(content_id="c@x", media_type="text/xml", size=len(data), chunks=lambda: iter((data,)))
        body = xds.provide_and_register(_submission(patient, unique_id, format, entry, replaced), ["c@x"])
        try:
            answer = call(self.writers.node, REPOSITORY_PATH, ITI_41.bindings[0], body, part).body
        except (OSError, NoAnswer):
            return False
        errors = {each.get("errorCode") for each in answer.iter() if each.get("errorCode")}
        assert errors == ({"InvalidDocumentContent"} if act == "refused" else set()), errors
        return self._keep(act, patient)

    def _keep(self, act: str, patient: str) -> bool:
        self.kept[act].append(patient)
        self.writers.acknowledged.release()
        return True


def _id(patient: str) -> CX:
    return CX(patient, HD("", RED.universal_id, "ISO"))


def _about(patient: str, document: str) -> str:
    """A consent document of that patient, by the one id that it names."""
    for root, extension in (("2.999.1", "78"), ("1.3.6.1.4.1.21367.13.20.3000", "L-1")):
        was = f'root="{root}" extension="{extension}"'
        document = document.replace(was, f'root="{RED.universal_id}" extension="{patient}"')
    return document


def _submission(patient: str, unique_id: UniqueId, format: str, entry: EntryUUID, replaced: str | None) -> Submission:
    coding = replace(CODING, format_code=Code(format, CODING.format_code.scheme, format))
    document = replace(described(unique_id), mime_type="text/xml", coding=coding)
    made = xds.submission(_id(patient), SOURCE, _id(patient), [document])
    own = replace(made.document_entries[0], entry_uuid=entry)
    return xds.assemble(made.submission_set, (own,), replaced)
