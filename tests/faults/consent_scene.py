"""A domain in which patients consent, a doctor for whom an issuer vouches, a desk that records what patients say."""

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.serialization import Encoding

from affinity.client import xds
from affinity.domain import SHIPPED
from ihe.datatypes import CX, Code
from ihe.transactions import SOAPBinding
from soap.client import SOAPClient
from tests.end_to_end.conftest import Begin, RunningNode
from tests.faults.sending import REGISTRY_PATH
from tests.forked import Forked
from xds.iti18 import ITI_18
from xds.stored_queries import FIND_DOCUMENTS
from xua.envelope import security_header
from xua.keys import make_stranger
from xua.people import EMERGENCY, PEOPLE, TREATMENT, DemoRole
from xua.sts import DevelopmentSTS

AUDIENCE, ISSUER = "https://records.example.lu/xds", "https://idp.hospital.example"
DOCTOR = PEOPLE[DemoRole.TREATING_DOCTOR]
PARTY = f"npi:{DOCTOR.npi}"
ONE_ACT = 1.0
"""Seconds that an act at the desk takes at most, on a quiet machine."""
NUMBERS = "2.25.700"
"""Authority of the numbers of professionals."""
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
ACCESS = f"""
mode = "dsp"
without_record = true
[confidentiality]
N = ["N^^2.16.840.1.113883.5.25"]
[professions.treating-doctor]
roles = ["{DOCTOR.role}"]
reads = ["*"]
[emergency]
professions = ["treating-doctor"]
purposes = ["{EMERGENCY}"]
[without_assertion]
reads = true
writes = true
[purposes]
care = ["{TREATMENT}"]
"""
RECORD = f"""
[encounters]
lets_in = ["attending"]
[documents]
professionals = "{NUMBERS}"
[documents.formats]
"urn:ihe:iti:bppc:2007" = "bppc"
"urn:ihe:iti:appc:2016:consent" = "appc"
[[policy]]
id = "object"
scheme = "2.25.46"
effect = "deny"
"""


@dataclass(frozen=True)
class Scene:
    """``options`` are those of a node of that domain that trusts the issuer."""

    domain: Path
    certificate: Path
    idp: DevelopmentSTS

    @property
    def options(self) -> tuple[str, ...]:
        trusting = "--xua", "optional", "--audience", AUDIENCE, "--trust", f"{ISSUER}={self.certificate}"
        return "--domain", str(self.domain), *trusting

    @staticmethod
    def desk(data: Path, url: str, begin: Begin = Forked) -> "Desk":
        """Beside a node with this database."""
        return Desk(begin, ("--data", str(data), "--database-url", url))

    def is_known(self, node: RunningNode, patient: CX, purpose: Code = TREATMENT) -> bool:
        """Claim that the doctor's query about a patient is answered; whoever is shut out knows no such patient."""
        token = self.idp.issue(DemoRole.TREATING_DOCTOR, datetime.now(UTC), AUDIENCE, purpose_of_use=purpose)
        return _is_known(node, patient, security_header(token))


def make_scene(directory: Path) -> Scene:
    """The domain of the other senders with rules for a record, below ``directory``."""
    domain, certificate = directory / "domain", directory / "idp.pem"
    shutil.copytree(SHIPPED / "connectathon", domain)
    (domain / "access.toml").write_text(ACCESS)
    (domain / "record.toml").write_text(RECORD)
    key, shown = make_stranger(datetime.now(UTC))
    certificate.write_bytes(shown.public_bytes(Encoding.PEM))
    return Scene(domain, certificate, DevelopmentSTS(ISSUER, key, shown))


def _is_known(node: RunningNode, patient: CX, security: bytes) -> bool:
    slots = ("$XDSDocumentEntryPatientId", (xds.quoted(str(patient)),)), ("$XDSDocumentEntryStatus", (APPROVED,))
    (binding,) = ITI_18.bindings
    assert isinstance(binding, SOAPBinding)
    client, asked = SOAPClient(url=node.url(REGISTRY_PATH)), xds.stored_query(FIND_DOCUMENTS.id, slots)
    answer = client.call(binding, [asked], security=security).body
    codes = {each.get("errorCode") for each in answer.iter() if each.get("errorCode")}
    assert codes <= {"XDSUnknownPatientId"}, codes
    return not codes


@dataclass(frozen=True)
class Desk:
    """``affinity consent`` in processes of its own, of which every third is killed at a moment by chance."""

    begin: Begin
    options: tuple[str, ...]
    moments: Random = field(default_factory=lambda: Random(1))

    def does(self, *words: str) -> bool:
        """Claim that it said so; what was killed said nothing."""
        process = self.begin(["consent", *words, *self.options], {})
        patience = self.moments.uniform(0, ONE_ACT) if self.moments.random() < 1 / 3 else 60
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait(20)
        assert process.stderr is not None
        assert code in (0, -signal.SIGKILL), process.stderr.read()
        return code == 0
