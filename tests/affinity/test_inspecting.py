"""What ``affinity cert`` makes and says."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.inspecting import inspect
from affinity.partner_files import CertificateTable
from tests.tls.conftest import NOW, Stock, stock

__all__ = ["stock"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "250"})


def read(stock: Stock, name: str) -> bytes:
    return stock.credential(name).certificate.read_bytes()


def test_a_certificate_in_words(stock: Stock) -> None:
    (found,) = inspect(read(stock, "server"), NOW)
    told = found.properties
    assert found.kind == "certificate"
    assert told["subject"] == "CN=localhost,O=Affinity development"
    assert told["issued by"] == "CN=Affinity development CA,O=Affinity development"
    assert told["valid"].endswith("days left")
    assert (told["for"], told["key"]) == ("a TLS server", "elliptic curve secp256r1")
    assert told["names"] == "dns:localhost, ip:127.0.0.1, ip:::1"
    assert told["sha256"] == stock.fingerprint("server")
    assert found.remarks == ("it is one of development: `affinity serve` refuses it",)


def test_der_says_the_same_as_pem(stock: Stock) -> None:
    der = stock.certificate("server").public_bytes(Encoding.DER)
    assert inspect(der, NOW) == inspect(read(stock, "server"), NOW)


def test_a_chain_says_who_issued_whom_and_whose_the_key_is(stock: Stock) -> None:
    key = stock.credential("client").key.read_bytes()
    client, authority, private = inspect(read(stock, "client") + read(stock, "ca") + key, NOW)
    assert client.properties["issued by"].endswith("(certificate 2 of this file)")
    assert authority.properties["issued by"] == "itself (self-signed)"
    assert "a certificate authority" in authority.properties["for"]
    assert private.properties["belongs to"] == "certificate 1 of this file"


def test_a_key_of_another_certificate_is_told(stock: Stock) -> None:
    *_, private = inspect(read(stock, "server") + stock.credential("client").key.read_bytes(), NOW)
    assert private.properties["belongs to"] == "none of the certificates in this file"


@pytest.mark.parametrize(
    ("name", "said", "remark"),
    [
        ("expired", "over since", "it has expired"),
        ("not-yet", "not yet, in", "it is not valid yet"),
    ],
)
def test_what_is_not_in_force_is_told(stock: Stock, name: str, said: str, remark: str) -> None:
    (found,) = inspect(read(stock, name), NOW)
    assert said in found.properties["valid"]
    assert found.remarks[0].startswith(remark)


def test_a_revocation_list_in_words(stock: Stock) -> None:
    (found,) = inspect(stock.lists.read_bytes(), NOW)
    assert found.properties["revoked"] == "1 certificates"
    assert f"{stock.certificate('revoked').serial_number:x}" in found.properties["serials"]
    (late,) = inspect(stock.lists.read_bytes(), NOW + timedelta(days=40))
    assert late.remarks[0].startswith("it is out of date")


def test_keys_under_a_password_and_pkcs_12(stock: Stock) -> None:
    own = stock.credential("client")
    key = load_pem_private_key(own.key.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    assert inspect(locked)[0].kind == "a private key under a password"
    bundle = pkcs12.serialize_key_and_certificates(b"me", key, stock.certificate("client"), None, NoEncryption())  # type: ignore[arg-type]
    assert inspect(bundle, NOW)[0].properties["sha256"] == stock.fingerprint("client")


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nMII", b"\x30\x82"])
def test_what_is_nothing_of_the_kind_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no certificate|no whole PEM block"):
        inspect(content)


def test_the_verbs_make_what_a_partner_needs(tmp_path: Path) -> None:
    made = json.loads(run("cert", "client", tmp_path / "try", "lis.example.org", "--json").stdout)
    shown = run("cert", "show", made["certificate"])
    assert shown.exit_code == 0
    assert f'sha256 = "{made["sha256"]}"' in shown.stdout
    assert CertificateTable(subject=made["subject"], authority=made["issued by"]).subject == made["subject"]
    server = json.loads(run("cert", "server", tmp_path / "try", "a.example.org", "10.0.0.5", "--json").stdout)
    assert server["names"] == "dns:a.example.org, ip:10.0.0.5"
    assert json.loads(run("cert", "sts", tmp_path / "try", "sts", "--json").stdout)["key"] == "RSA, 2048 bits"
    assert "a certificate authority" in run("cert", "ca", tmp_path / "try").stdout
    revoked = json.loads(run("cert", "revoke", tmp_path / "try", made["certificate"], "--json").stdout)
    assert [f"{x509.load_pem_x509_certificate(Path(made['certificate']).read_bytes()).serial_number:x}"] == revoked[
        "revoked"
    ]
    assert run("cert", "show", revoked["revocation_list"]).exit_code == 0


def test_what_has_ended_is_exit_code_1(stock: Stock) -> None:
    assert run("cert", "show", stock.credential("expired").certificate).exit_code == 1


def test_a_certificate_of_another_authority_is_not_revoked(stock: Stock, tmp_path: Path) -> None:
    refused = run("cert", "revoke", tmp_path / "try", stock.credential("client").certificate)
    assert refused.exit_code == 2 or "revoked" in refused.stdout
    foreign = run("cert", "revoke", stock.directory / "other", stock.credential("client").certificate)
    assert foreign.exit_code == 2
    assert "is not of the authority in" in foreign.stderr
