"""What the doctor says of the issuers of assertions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.cli.checks_installation import _dates
from affinity.cli.checks_issuers import issuers
from affinity.domain import load
from affinity.settings import load as load_settings
from tests.xua.authority import make_authority
from tests.xua.stage import make_certificate

ISSUER = "https://sts.example.org"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "sts.pem"
    made = make_certificate(ec.generate_private_key(ec.SECP256R1()), now=datetime.now(UTC))  # for thirty days
    file.write_bytes(made.public_bytes(Encoding.PEM))
    return file


def told(**xua: Any) -> list[str]:
    found = issuers(load_settings(None, {"xua": xua}).xua, load("demo"), _dates)
    return [f"{each.check}: {each.state.value}: {each.detail}" for each in found]


def test_a_pinned_certificate_is_dated(certificate: Path) -> None:
    (found,) = told(trust={ISSUER: certificate})
    assert found.startswith(f"issuer {ISSUER}: warning: ") and "until" in found


def test_a_setting_that_cannot_be_meant_is_told(certificate: Path, tmp_path: Path) -> None:
    *_, wrong = told(issuers={ISSUER: {"certificates": certificate, "profile": "lunar"}})
    assert "FAILED" in wrong and "no token profile 'lunar'" in wrong
    (tmp_path / "ca.pem").write_bytes(make_authority().pem)
    *_, unclear = told(issuers={ISSUER: {"authorities": tmp_path / "ca.pem"}})
    assert "FAILED" in unclear and "say how its signers differ" in unclear
    missing, *_ = told(issuers={ISSUER: {"certificates": tmp_path / "nothing.pem"}})
    assert "FAILED" in missing and "nothing.pem" in missing


def test_a_revocation_list_out_of_date_is_told(certificate: Path, tmp_path: Path) -> None:
    authority = make_authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "ca.crl").write_bytes(authority.revoke(at=datetime.now(UTC) - timedelta(days=9)))
    written = {"certificates": certificate, "authorities": tmp_path / "ca.pem", "crls": [tmp_path / "ca.crl"]}
    assert any("revocation list: FAILED" in each for each in told(issuers={ISSUER: written}))


@pytest.mark.parametrize(("days", "state"), [(-1, "ok"), (5, "warning")])
def test_the_end_of_sha1_is_told(certificate: Path, days: int, state: str) -> None:
    written = {"certificates": certificate, "sha1_until": TODAY + timedelta(days=days)}
    assert any(f": {state}: SHA-1 is refused" in each for each in told(issuers={ISSUER: written}))
