"""Fixtures of the XUA tests."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.xua.stage import AUDIENCE, ISSUER, Stage, make_certificate
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def stage(signing_key: rsa.RSAPrivateKey) -> Stage:
    """The issuer is trusted, the clock stands at ``stage.now``, nothing is remembered."""
    certificate = make_certificate(signing_key)
    trust = TrustStore([TrustedIssuer(entity_id=ISSUER, certificates=(certificate,))])
    return Stage(DevelopmentSTS(ISSUER, signing_key, certificate), trust, Verifier(trust, [AUDIENCE]))
