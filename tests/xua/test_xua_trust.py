"""Whom the node believes: read from ISSUER=CERT.pem, weak keys refused, every change a new generation."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.xua.stage import Key, make_certificate
from xua.cache import RecentlyUsed
from xua.keys import load_private_key
from xua.times import format_instant, parse_instant
from xua.trust import TrustedIssuer, TrustStore, trusted_issuers


def pem(key: Key, path: Path) -> Path:
    path.write_bytes(make_certificate(key).public_bytes(Encoding.PEM))
    return path


@pytest.fixture(scope="session")
def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_an_issuer_is_pinned_to_the_certificates_named(tmp_path: Path, elliptic: Key, signing_key: Key) -> None:
    old, new = pem(elliptic, tmp_path / "old.pem"), pem(signing_key, tmp_path / "new.pem")
    first, second = trusted_issuers([f"https://sts?a=b={old}", f"urn:x={new}", f"https://sts?a=b={new}"])
    assert (first.entity_id, len(first.certificates)) == ("https://sts?a=b", 2)
    assert (second.entity_id, len(second.certificates)) == ("urn:x", 1)


def test_a_file_may_hold_both_certificates_of_a_key_change(tmp_path: Path, elliptic: Key, signing_key: Key) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(pem(elliptic, tmp_path / "a").read_bytes() + pem(signing_key, tmp_path / "b").read_bytes())
    assert len(trusted_issuers([f"urn:x={both}"])[0].certificates) == 2


@pytest.mark.parametrize("pair", ["", "urn:x", "urn:x=", "=cert.pem"])
def test_a_pair_that_is_none_is_named(pair: str) -> None:
    with pytest.raises(ValueError, match=r"ISSUER=CERT\.pem"):
        trusted_issuers([pair])


def test_a_file_without_certificate_is_named_with_its_issuer(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="urn:x"):
        trusted_issuers([f"urn:x={empty}"])
    with pytest.raises(OSError, match="missing"):
        trusted_issuers([f"urn:x={tmp_path / 'missing.pem'}"])


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP224R1())])
def test_a_weak_key_is_never_trusted(tmp_path: Path, key: Key) -> None:
    with pytest.raises(ValueError, match="2048 bits"):
        trusted_issuers([f"urn:x={pem(key, tmp_path / 'weak.pem')}"])


def test_a_signing_key_of_another_kind_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(ValueError, match="RSA or EC"):
        load_private_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_every_change_is_a_new_generation(elliptic: Key) -> None:
    issuer = TrustedIssuer(entity_id="urn:x", certificates=(make_certificate(elliptic),))
    store = TrustStore()
    generations = [store.generation]
    before = store.current
    store.trust(issuer)
    generations.append(store.generation)
    store.trust(issuer)
    generations.append(store.generation)
    store.distrust("urn:x")
    generations.append(store.generation)
    assert len(set(generations)) == 4
    assert not before.issuers and not store.current.issuers


def test_the_least_recently_used_value_leaves_first() -> None:
    recent: RecentlyUsed[str, int] = RecentlyUsed(2)
    for key, value in (("a", 1), ("b", 2)):
        recent.keep(key, value)
    assert recent.find("a") == 1
    recent.keep("c", 3)
    assert [recent.find(key) for key in "abc"] == [1, None, 3]


instants = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)).map(
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)


@given(instants)
def test_an_instant_survives_being_written(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_an_offset_names_the_same_instant(instant: datetime, minutes: int) -> None:
    there = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_instant(there.isoformat(timespec="milliseconds")) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2031-05-04",
        "2031-05-04T09:30:00",
        "2031-13-04T09:30:00Z",
        "2031-05-04T24:30:00Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٣١-05-04T09:30:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)
