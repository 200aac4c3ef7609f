"""The issuers of the settings: what may be said of one, and their files read again while serving."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.domain import load
from affinity.domain_model import LoadedDomain
from affinity.doors import issuers
from affinity.settings import Settings
from affinity.settings import load as load_settings
from affinity.unfit import refuse_development
from tests.xua.authority import SIGNS_ASSERTIONS, Authority, make_authority, name
from tests.xua.stage import make_certificate
from xua.trust import TrustedIssuer

ISSUER = "https://sts.example.org"


@pytest.fixture(scope="module")
def loaded() -> LoadedDomain:
    return load("demo")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


def certificate(file: Path) -> Path:
    """A file with a certificate that was not there before, put in place as operators do."""
    draft = file.with_suffix(".new")
    draft.write_bytes(make_certificate(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.PEM))
    return draft.replace(file)


def settings(**xua: Any) -> Settings:
    return load_settings(None, {"xua": xua})


def only(loaded: LoadedDomain, **issuer: Any) -> TrustedIssuer:
    return issuers(settings(issuers={ISSUER: issuer}), loaded).store.current.issuers[ISSUER]


def test_everything_that_may_be_said_of_an_issuer(tmp_path: Path, loaded: LoadedDomain, authority: Authority) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "ca.crl").write_bytes(authority.revoke())
    found = only(
        loaded,
        authorities=tmp_path / "ca.pem",
        extended_key_usages=[SIGNS_ASSERTIONS],
        subject=["OU=STS"],
        crls=[tmp_path / "ca.crl"],
        profile="swiss-epr",
        clock_skew_seconds=5,
        sha1_until="2027-03-31",
    )
    assert found.profile.name == "swiss-epr" and found.clock_skew.total_seconds() == 5
    assert found.signer.extended_key_usages == {SIGNS_ASSERTIONS} and found.signer.subject == {"OU=STS"}
    assert found.accepts_sha1(datetime(2027, 3, 31, 23, 59, tzinfo=UTC))
    assert not found.accepts_sha1(datetime(2027, 4, 1, tzinfo=UTC))
    assert found.crls[0].covers(authority.issue(authority.key, name(cn="x")))


def test_beside_pinned_certificates_an_authority_only_takes_back(
    tmp_path: Path, loaded: LoadedDomain, authority: Authority
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    found = only(loaded, certificates=certificate(tmp_path / "sts.pem"), authorities=tmp_path / "ca.pem")
    assert found.certificates and not found.authorities


def test_what_cannot_be_meant_is_told(tmp_path: Path, loaded: LoadedDomain, authority: Authority) -> None:
    pem = certificate(tmp_path / "sts.pem")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with pytest.raises(ValueError, match="there is no token profile 'lunar'"):
        only(loaded, certificates=pem, profile="lunar")
    with pytest.raises(ValueError, match="neither a certificate nor an authority"):
        only(loaded)
    with pytest.raises(ValueError, match="say how its signers differ"):
        only(loaded, authorities=tmp_path / "ca.pem")
    with pytest.raises(ValueError, match="stands in trust and in issuers"):
        issuers(settings(trust={ISSUER: pem}, issuers={ISSUER: {"certificates": pem}}), loaded)


def test_a_changed_file_is_read_again(tmp_path: Path, loaded: LoadedDomain) -> None:
    file = certificate(tmp_path / "sts.pem")
    trusted = issuers(settings(trust={ISSUER: file}), loaded)
    before = trusted.store.current
    trusted.reload_if_changed()
    assert trusted.store.current is before
    certificate(file)
    trusted.reload_if_changed()
    after = trusted.store.current
    assert after.generation != before.generation
    assert after.issuers[ISSUER].certificates != before.issuers[ISSUER].certificates


@pytest.mark.parametrize("broken", [b"", b"no certificate", None])
def test_a_file_that_cannot_be_used_changes_nothing(tmp_path: Path, loaded: LoadedDomain, broken: bytes | None) -> None:
    file = certificate(tmp_path / "sts.pem")
    trusted = issuers(settings(trust={ISSUER: file}), loaded)
    before = trusted.store.current
    file.unlink()
    if broken is not None:
        file.write_bytes(broken)
    trusted.reload_if_changed()
    assert trusted.store.current is before
    certificate(file)
    trusted.reload_if_changed()
    assert trusted.store.current is not before


def test_what_production_refuses_it_refuses_while_serving(tmp_path: Path, loaded: LoadedDomain) -> None:
    """The certificates of ``make_certificate`` say that they are of development."""
    trusted = issuers(settings(trust={ISSUER: certificate(tmp_path / "sts.pem")}), loaded, check=refuse_development)
    before = trusted.store.current
    certificate(tmp_path / "sts.pem")
    trusted.reload()
    assert trusted.store.current is before
