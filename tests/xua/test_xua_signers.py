"""An issuer trusted by an authority: its signers' certificates are believed, those of TLS clients are not."""

from base64 import b64encode
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ihe.exchange import Principal
from tests.xua.authority import CLIENT_AUTH, SIGNS_ASSERTIONS, Authority, make_authority, name
from tests.xua.stage import Stage, make_certificate
from xua.errors import AssertionRefused, Subcode
from xua.names import DS
from xua.people import PEOPLE, DemoRole
from xua.profiles import SignerRule
from xua.trust import IHE_XUA, TrustedIssuer

STS = name(ou="STS", cn="Token service")
HOSPITAL = name(ou="Hospital", cn="TLS client")
RULE = SignerRule(extended_key_usages=frozenset({SIGNS_ASSERTIONS}))
NAME = PEOPLE[DemoRole.PATIENT].name_id


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


@dataclass(frozen=True)
class Region:
    """A stage whose issuer is trusted by an authority."""

    stage: Stage
    authority: Authority

    def trust(self, signer: SignerRule = RULE, **more: object) -> None:
        kinds = {"authorities": (self.authority.certificate,), **more}
        issuer = TrustedIssuer(entity_id=self.stage.issuer, signer=signer, **kinds)  # type: ignore[arg-type]
        self.stage.trust.trust(issuer)

    def show(self, *certificates: x509.Certificate) -> Principal:
        """Sign with the stage's key and show these certificates in KeyInfo."""
        shown = "".join(
            f"<ds:X509Certificate>{b64encode(each.public_bytes(Encoding.DER)).decode()}</ds:X509Certificate>"
            for each in certificates
        )
        info = f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data>{shown}</ds:X509Data></ds:KeyInfo>' if shown else ""
        return self.stage.verify(self.stage.message(self.stage.sign(self.stage.issue(), key_info=info)))

    def refuses(self, *certificates: x509.Certificate) -> str:
        with pytest.raises(AssertionRefused) as caught:
            self.show(*certificates)
        assert caught.value.subcode in {Subcode.INVALID_SECURITY_TOKEN, Subcode.FAILED_CHECK}
        return caught.value.reason


@pytest.fixture
def region(stage: Stage, authority: Authority) -> Region:
    made = Region(stage, authority)
    made.trust()
    return made


def test_a_signer_of_the_authority_is_believed(region: Region) -> None:
    signer = region.authority.issue(region.stage.key, STS, SIGNS_ASSERTIONS)
    assert region.show(signer).name_id == NAME
    other = region.authority.issue(ec.generate_private_key(ec.SECP256R1()), HOSPITAL, CLIENT_AUTH)
    assert region.show(other, signer).name_id == NAME


def test_a_tls_client_of_the_same_authority_signs_nothing(region: Region) -> None:
    client = region.authority.issue(region.stage.key, HOSPITAL, CLIENT_AUTH)
    assert "extended key usages" in region.refuses(client)
    region.trust(SignerRule(subject=frozenset({"OU=STS"})))
    assert "subject" in region.refuses(client)


def test_parts_of_the_subject_tell_a_signer_too(region: Region) -> None:
    region.trust(SignerRule(subject=frozenset({"OU=STS", "CN=Token service"})))
    assert region.show(region.authority.issue(region.stage.key, STS)).name_id == NAME
    hidden = name(o="x,OU=STS,CN=Token service", cn="Token service")
    assert "subject" in region.refuses(region.authority.issue(region.stage.key, hidden))


def test_the_profile_may_say_what_a_signer_shows(region: Region) -> None:
    region.trust(SignerRule(), profile=replace(IHE_XUA, signer=RULE))
    assert region.show(region.authority.issue(region.stage.key, STS, SIGNS_ASSERTIONS)).name_id == NAME
    assert region.refuses(region.authority.issue(region.stage.key, STS, CLIENT_AUTH))


def test_a_pinned_certificate_stands_beside_the_authority(region: Region) -> None:
    region.trust(certificates=(region.stage.sts.certificate,))
    assert region.show().name_id == NAME


def test_what_is_no_signers_certificate(region: Region) -> None:
    key, issue = region.stage.key, region.authority.issue
    stranger = make_authority()
    usages = (SIGNS_ASSERTIONS,)
    assert "shows no certificate" in region.refuses()
    assert "no pinned authority" in region.refuses(stranger.issue(key, STS, *usages))
    assert "no pinned authority" in region.refuses(make_certificate(key))
    assert "that of an authority" in region.refuses(issue(key, STS, *usages, ca=True))
    assert "key usage" in region.refuses(issue(key, STS, *usages, signs=False))
    assert "critical extension" in region.refuses(
        issue(key, STS, *usages, critical=x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\x05\x00"))
    )
    assert "not valid now" in region.refuses(issue(key, STS, *usages, days=-1))
    assert "does not verify" in region.refuses(issue(ec.generate_private_key(ec.SECP256R1()), STS, *usages))
    assert "2048 bits" in region.refuses(issue(rsa.generate_private_key(65537, 1024), STS, *usages))
    assert "5 certificates" in region.refuses(*[issue(key, STS, *usages)] * 5)


def test_a_mutilated_certificate_is_refused_and_breaks_nothing(region: Region) -> None:
    """KeyInfo is the sender's: whatever stands there, the answer is a refusal, or the certificate as it was issued."""
    random, genuine = Random(1), region.authority.issue(region.stage.key, STS, SIGNS_ASSERTIONS)
    der = genuine.public_bytes(Encoding.DER)
    assertion, outcomes = region.stage.issue(), set()
    for _ in range(400):
        mutant = bytearray(der)
        for _ in range(random.choice([1, 1, 2, 8])):
            mutant[random.randrange(len(mutant))] = random.randrange(256)
        shown = f"<ds:X509Certificate>{b64encode(mutant).decode()}</ds:X509Certificate>"
        info = f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data>{shown}</ds:X509Data></ds:KeyInfo>'
        message = region.stage.message(region.stage.sign(deepcopy(assertion), key_info=info))
        try:
            outcomes.add(region.stage.verify(message).name_id)
        except AssertionRefused as refused:
            outcomes.add(refused.subcode.name)
    assert {"INVALID_SECURITY_TOKEN"} <= outcomes <= {"INVALID_SECURITY_TOKEN", "FAILED_CHECK", NAME}


def test_an_authority_that_is_over_vouches_for_nobody(stage: Stage) -> None:
    over = make_authority(days=-1)
    region = Region(stage, over)
    region.trust()
    assert "authority" in region.refuses(over.issue(stage.key, STS, SIGNS_ASSERTIONS))


def test_paths_are_not_searched(region: Region) -> None:
    """Who is certified by a certified authority is none of ours until that one is pinned."""
    key = ec.generate_private_key(ec.SECP256R1())
    middle = Authority(key, region.authority.issue(key, name(cn="Issuing CA"), ca=True))
    signer = middle.issue(region.stage.key, STS, SIGNS_ASSERTIONS)
    assert "no pinned authority" in region.refuses(signer, middle.certificate)
    region.trust(authorities=(middle.certificate,))
    assert region.show(signer).name_id == NAME


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (SignerRule(), "say how its signers differ"),
        (SignerRule(extended_key_usages=frozenset({CLIENT_AUTH})), "do not tell a signer"),
        (SignerRule(extended_key_usages=frozenset({SIGNS_ASSERTIONS, "2.5.29.37.0"})), "do not tell a signer"),
    ],
)
def test_an_authority_is_pinned_only_with_what_tells_its_signers(region: Region, rule: SignerRule, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        region.trust(rule)


def test_nobody_is_trusted_by_nothing(stage: Stage) -> None:
    with pytest.raises(ValueError, match="neither a certificate nor an authority"):
        TrustedIssuer(entity_id=stage.issuer)


def weakly_signed(stage: Stage) -> bytes:
    def weak(data: bytes) -> bytes:
        return bytes(stage.key.sign(data, padding.PKCS1v15(), hashes.SHA1()))

    return stage.message(stage.sign(stage.issue(), method=f"{DS}rsa-sha1", digest=(f"{DS}sha1", "sha1"), with_key=weak))


def test_sha1_is_granted_to_one_issuer_and_ends(stage: Stage) -> None:
    message, end = weakly_signed(stage), stage.now + timedelta(minutes=5)
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message)
    assert caught.value.subcode is Subcode.UNSUPPORTED_ALGORITHM
    known = stage.trust.current.issuers[stage.issuer]
    stage.trust.trust(replace(known, sha1_until=end))
    assert stage.verify(message).name_id == NAME
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message, now=end)
    assert caught.value.subcode is Subcode.UNSUPPORTED_ALGORITHM and "SHA-1" in caught.value.reason
    assert stage.verify(stage.message(stage.issue()), now=end).name_id == NAME


def test_the_quirk_admits_sha1_and_nothing_else(stage: Stage) -> None:
    known = stage.trust.current.issuers[stage.issuer]
    stage.trust.trust(replace(known, sha1_until=stage.now + timedelta(days=1)))
    for method in ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", f"{DS}hmac-sha1", f"{DS}dsa-sha1"):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(stage.message(stage.sign(stage.issue(), method=method)))
        assert caught.value.subcode is Subcode.UNSUPPORTED_ALGORITHM
