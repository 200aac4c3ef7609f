"""Assertions of other systems, each with its verdict and the reason (../shared/samples; its README says how they broke).

Each file is taken as it would arrive: a SOAP message as it is, anything else with its assertions in a security header.
Where the file names its own certificate and the key is strong enough, that certificate is pinned for its issuer, so that
nothing but the file itself can be the reason for the refusal.
"""

from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml.etree import _Element

from soap.xml import parse, serialize
from tests.xua.stage import Stage
from xua.envelope import ASSERTION, ENVELOPE
from xua.errors import AssertionRefused, Subcode
from xua.keys import load_certificates
from xua.names import DS, SAML
from xua.trust import TrustedIssuer
from xua.verifier import Verifier

UNSUPPORTED_ALGORITHM = Subcode.UNSUPPORTED_ALGORITHM
UNSUPPORTED_TOKEN = Subcode.UNSUPPORTED_SECURITY_TOKEN
INVALID_SECURITY = Subcode.INVALID_SECURITY
INVALID_TOKEN = Subcode.INVALID_SECURITY_TOKEN
FAILED_CHECK = Subcode.FAILED_CHECK

VERDICTS = {
}


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "samples"


def read(path: Path) -> _Element:
    data = path.read_bytes()
    return parse(b64decode(data) if path.suffix == ".base64" else data.lstrip())


def as_message(stage: Stage, root: _Element) -> _Element:
    """The SOAP message that carries what the file holds."""
    if root.tag == ENVELOPE and root[0].find(f".//{ASSERTION}") is not None and len(root) == 2:
        return root
    assertions = [each for each in root.iter(ASSERTION) if not any(up.tag == ASSERTION for up in each.iterancestors())]
    return parse(stage.enclose(b"".join(map(serialize, assertions))))


def trust_its_own_certificate(stage: Stage, root: _Element) -> None:
    for assertion in root.iter(ASSERTION):
        certificate = assertion.findtext(f"{{{DS}}}Signature//{{{DS}}}X509Certificate", "")
        pem = f"-----BEGIN CERTIFICATE-----\n{certificate.strip()}\n-----END CERTIFICATE-----\n"
        try:
            pinned = load_certificates(pem.encode())
        except ValueError:
            continue
        issuer = assertion.findtext(f"{{{SAML}}}Issuer", "")
        stage.trust.trust(TrustedIssuer(entity_id=issuer, certificates=pinned))


def instant_of(root: _Element) -> datetime:
    """A moment at which the assertion claims to be valid."""
    conditions = next(root.iter(f"{{{SAML}}}Conditions"), None)
    begin = "2020-01-01T00:00:00Z" if conditions is None else conditions.get("NotBefore", "")
    return datetime.fromisoformat(begin).astimezone(UTC)


@pytest.mark.parametrize("file", VERDICTS)
def test_each_foreign_assertion_meets_its_verdict(stage: Stage, samples: Path, file: str) -> None:
    subcode, reason = VERDICTS[file]
    root = read(samples / file)
    trust_its_own_certificate(stage, root)
    audiences = [each.text or "" for each in root.iter(f"{{{SAML}}}Audience")]
    with pytest.raises(AssertionRefused) as caught:
        Verifier(stage.trust, audiences).verify(as_message(stage, root), instant_of(root))
    assert caught.value.subcode is subcode and reason in caught.value.reason


def test_no_file_is_left_out(samples: Path) -> None:
    present = {f"{folder}/{path.name}" for folder in ("SAML-XUA", "SAML-signature") for path in (samples / folder).iterdir()}
    assert present <= set(VERDICTS)
