"""What we verify, xmlsec verifies; what is sound in form and fails here fails there, too.

Another library, another canonicalization. Runs where Debian's ``xmlsec1`` is installed: a process for each document.
"""

import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from soap.xml import XMLRefused, parse, serialize
from tests.xua.mutants import MUTATIONS, judge, mutants
from tests.xua.stage import Stage
from xua.envelope import ASSERTION
from xua.errors import AssertionRefused
from xua.shape import check_shape
from xua.signature import KEY_INFO, check_signature_form, verify_signature

XMLSEC = shutil.which("xmlsec1")
pytestmark = pytest.mark.skipif(XMLSEC is None, reason="xmlsec1 is not installed: apt-get install xmlsec1")

Verdict = Callable[[bytes], bool]
MUTANTS = 800
COMPARED = 60
"""Documents that are given to xmlsec, a process each."""


@pytest.fixture
def xmlsec(stage: Stage, tmp_path: Path) -> Verdict:
    """Claims that xmlsec verifies a document with the issuer's certificate; KeyInfo is cut off, as ours does."""
    (tmp_path / "sts.pem").write_bytes(stage.certificate_pem)

    def verifies(document: bytes) -> bool:
        root = parse(document)
        for key_info in root[1].findall(KEY_INFO):
            root[1].remove(key_info)
        file = tmp_path / "assertion.xml"
        file.write_bytes(serialize(root))
        command = [str(XMLSEC), "--verify", "--id-attr:ID", ASSERTION.strip("{").replace("}", ":")]
        done = subprocess.run(
            [*command, "--pubkey-cert-pem", str(tmp_path / "sts.pem"), str(file)],
            capture_output=True,
            timeout=20,
            check=False,
        )
        return done.returncode == 0

    return verifies


def ours(stage: Stage, document: bytes) -> bool | None:
    """Our verdict on the signature alone; None where the document does not have the form to be asked about."""
    assertion = parse(document)
    try:
        check_shape(assertion)
        check_signature_form(assertion)
    except (AssertionRefused, ValueError, IndexError):
        return None
    try:
        verify_signature(assertion, (stage.sts.certificate,), stage.now)
    except AssertionRefused:
        return False
    return True


def assertion_of(message: bytes) -> bytes | None:
    """The document that a verifier would look at: the one assertion of a message, cut out."""
    try:
        found = list(parse(message).iter(ASSERTION))
    except XMLRefused:
        return None
    return serialize(found[0]) if len(found) == 1 else None


@pytest.mark.parametrize("prefixes", ["", "xs", "xsi saml2", "#default hl7"])
def test_genuine_assertions_verify_in_both(stage: Stage, xmlsec: Verdict, prefixes: str) -> None:
    document = serialize(stage.sign(stage.issue(), prefixes=prefixes))
    assert ours(stage, document) and xmlsec(document)
    assert xmlsec(serialize(stage.issue()))


def test_longer_digests_verify_in_both(stage: Stage, xmlsec: Verdict) -> None:
    for digest in ("sha384", "sha512"):
        space = "2001/04/xmldsig-more" if digest == "sha384" else "2001/04/xmlenc"
        uri = f"http://www.w3.org/{space}#{digest}"
        document = serialize(stage.sign(stage.issue(), digest=(uri, digest)))
        assert ours(stage, document) and xmlsec(document)


def test_what_is_accepted_is_verified_by_xmlsec(stage: Stage, xmlsec: Verdict) -> None:
    distinct: dict[bytes, bytes] = {}
    for mutate in MUTATIONS:
        for message in judge(stage, mutate, MUTANTS).accepted:
            document = assertion_of(message)
            assert document is not None
            distinct[sha256(document).digest()] = document
    assert distinct and all(xmlsec(document) for document in list(distinct.values())[:COMPARED])


def test_both_give_one_verdict_on_what_has_the_form_of_an_assertion(stage: Stage, xmlsec: Verdict) -> None:
    compared = differing = 0
    for mutate in MUTATIONS:
        for _, message in mutants(stage, mutate, MUTANTS, seed=7):
            document = assertion_of(message)
            verdict = None if document is None or compared >= COMPARED else ours(stage, document)
            if document is not None and verdict is not None:
                compared += 1
                differing += xmlsec(document) is not verdict
    assert compared > COMPARED / 2 and differing == 0
