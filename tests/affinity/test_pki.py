"""Development certificates: made once, used again, fit for mutual TLS, recognisable."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from affinity.authority import Credential
from affinity.pki import DevelopmentPKI, development_certificates, development_pki, is_development

NOW = datetime.now(UTC)


def read(credential: Credential) -> x509.Certificate:
    return x509.load_pem_x509_certificate(credential.certificate.read_bytes())


@pytest.fixture
def pki(tmp_path: Path) -> DevelopmentPKI:
    return development_pki(tmp_path / "pki", NOW)


def credentials(pki: DevelopmentPKI) -> tuple[Credential, ...]:
    return pki.authority, pki.server, pki.client, pki.sts


def test_a_second_start_finds_what_the_first_has_made(pki: DevelopmentPKI, tmp_path: Path) -> None:
    before = [each.certificate.read_bytes() for each in credentials(pki)]
    again = development_pki(tmp_path / "pki", NOW + timedelta(days=1))
    assert [each.certificate.read_bytes() for each in credentials(again)] == before


def test_private_keys_are_for_their_owner_alone(pki: DevelopmentPKI, tmp_path: Path) -> None:
    assert {each.key.stat().st_mode & 0o777 for each in credentials(pki)} == {0o600}
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700


def test_every_certificate_says_that_it_is_of_development(pki: DevelopmentPKI) -> None:
    assert all(is_development(read(each)) for each in credentials(pki))
    paths = [each.certificate for each in credentials(pki)]
    assert development_certificates(paths) == tuple(paths)


def test_another_certificate_is_not_of_development() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "A hospital")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    certificate = builder.sign(key, SHA256())
    assert not is_development(certificate)


def handshake(server: ssl.SSLObject, client: ssl.SSLObject, wires: tuple[ssl.MemoryBIO, ...]) -> None:
    to_server, from_server, to_client, from_client = wires
    for _ in range(10):
        for end in (client, server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_both_ends_accept_each_other_in_mutual_tls(pki: DevelopmentPKI, name: str) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pki.server.certificate, pki.server.key)
    server_side.load_verify_locations(pki.authority.certificate)
    server_side.verify_mode = ssl.CERT_REQUIRED
    client_side = ssl.create_default_context(cafile=str(pki.authority.certificate))
    client_side.load_cert_chain(pki.client.certificate, pki.client.key)
    wires = tuple(ssl.MemoryBIO() for _ in range(4))
    server = server_side.wrap_bio(wires[0], wires[1], server_side=True)
    client = client_side.wrap_bio(wires[2], wires[3], server_hostname=name)
    handshake(server, client, wires)
    assert server.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(pki.client.certificate.read_text())
    assert client.version() == "TLSv1.3"


def test_a_certificate_nearly_over_is_renewed_by_the_same_authority(pki: DevelopmentPKI, tmp_path: Path) -> None:
    before, authority = read(pki.server), read(pki.authority)
    later = development_pki(tmp_path / "pki", NOW + timedelta(days=380))
    assert read(later.server).serial_number != before.serial_number
    assert read(later.authority) == authority
    read(later.server).verify_directly_issued_by(authority)


@pytest.mark.parametrize("damage", ["key", "certificate"])
def test_a_lost_file_is_made_anew_with_its_other_half(pki: DevelopmentPKI, tmp_path: Path, damage: str) -> None:
    (pki.sts.key if damage == "key" else pki.sts.certificate).write_bytes(b"")
    sts = development_pki(tmp_path / "pki", NOW).sts
    key = load_pem_private_key(sts.key.read_bytes(), None)
    assert read(sts).public_key() == key.public_key()


def test_a_new_authority_issues_everything_anew(pki: DevelopmentPKI, tmp_path: Path) -> None:
    pki.authority.key.unlink()
    again = development_pki(tmp_path / "pki", NOW)
    for each in (again.server, again.client, again.sts):
        read(each).verify_directly_issued_by(read(again.authority))
