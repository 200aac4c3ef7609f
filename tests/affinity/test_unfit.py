"""What ``affinity serve`` refuses to serve with, each alone and all at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from affinity.domain import load
from affinity.domain_model import LoadedDomain
from affinity.pki import DevelopmentPKI, development_pki
from affinity.settings import Settings
from affinity.settings import load as load_settings
from affinity.stewardship import TOKEN_FILE
from affinity.unfit import unfitness


@pytest.fixture
def domain() -> LoadedDomain:
    """A domain without partners, whose policy is fit for production."""
    return load("connectathon")


def settings(tmp_path: Path, **given: Any) -> Settings:
    return load_settings(None, {"data": tmp_path / "data", **given})


def certificates(pki: DevelopmentPKI) -> dict[str, Path]:
    server = pki.server
    return {"certificate": server.certificate, "key": server.key, "client_authorities": pki.authority.certificate}


def reasons(settings: Settings, domain: LoadedDomain, *, plain: bool = False) -> list[str]:
    return list(unfitness(settings, domain, plain=plain))


def test_a_fit_node_has_nothing_to_change(tmp_path: Path, domain: LoadedDomain) -> None:
    assert reasons(settings(tmp_path), domain) == []
    assert reasons(settings(tmp_path), domain, plain=True) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "records.example.org"])
def test_ports_without_tls_that_others_reach(tmp_path: Path, domain: LoadedDomain, host: str) -> None:
    exposed = settings(tmp_path, listen={"host": host})
    (reason,) = reasons(exposed, domain, plain=True)
    assert f"without TLS on {host}" in reason
    assert reasons(exposed, domain) == []


def test_partners_that_are_known_by_what_they_say(tmp_path: Path, domain: LoadedDomain) -> None:
    trusting = replace(domain, policy=replace(domain.policy, partners_by_source=True))
    (reason,) = reasons(settings(tmp_path), trusting, plain=True)
    assert "partners_by_source" in reason
    assert reasons(settings(tmp_path), trusting) == []


def test_development_certificates_of_the_node_and_of_issuers(tmp_path: Path, domain: LoadedDomain) -> None:
    pki = development_pki(tmp_path / "pki")
    own = {
        "certificate": pki.server.certificate,
        "key": pki.server.key,
        "client_authorities": pki.authority.certificate,
    }
    found = reasons(settings(tmp_path, certificates=own, xua={"trust": {"urn:x": pki.sts.certificate}}), domain)
    assert [each.partition(" ")[0] for each in found] == [
        str(pki.server.certificate),
        str(pki.authority.certificate),
        str(pki.sts.certificate),
    ]
    assert all("development certificate" in each for each in found)


def test_partners_that_are_known_by_development_certificates(tmp_path: Path) -> None:
    pki = development_pki(tmp_path / "pki")
    own = {
        "certificate": pki.server.certificate,
        "key": pki.server.key,
        "client_authorities": pki.authority.certificate,
    }
    found = reasons(settings(tmp_path, certificates=own), load("demo"))
    assert [each for each in found if each.startswith("partners/hop-petrusse.toml names a development certificate")]


@pytest.mark.parametrize("password", ["affinity", "postgres", "secret"])
def test_a_password_that_everybody_tries(tmp_path: Path, domain: LoadedDomain, password: str) -> None:
    url = f"postgresql+psycopg://affinity:{password}@db.example.org/affinity"
    (reason,) = reasons(settings(tmp_path, database_url=url), domain)
    assert "database_url" in reason
    good = url.replace(f":{password}@", ":8fKz2@")
    assert reasons(settings(tmp_path, database_url=good), domain) == []


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("developer", "sha256:" + "0a" * 32),
        ("anna", "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
    ],
)
def test_a_steward_of_development_or_of_the_documentation(
    tmp_path: Path, domain: LoadedDomain, name: str, digest: str
) -> None:
    (reason,) = reasons(settings(tmp_path, stewards={name: digest}), domain)
    assert reason.startswith(f"stewards.{name}")


@pytest.mark.parametrize("left", ["pki/ca.key.pem", TOKEN_FILE])
def test_data_that_a_development_server_has_used(tmp_path: Path, domain: LoadedDomain, left: str) -> None:
    file = tmp_path / "data" / left
    file.parent.mkdir(parents=True)
    file.touch()
    (reason,) = reasons(settings(tmp_path), domain)
    assert str(file) in reason


@pytest.mark.parametrize(("key", "fit"), [("00" * 32, False), ("ab" * 32, False), ("0123456789abcdef" * 4, True)])
def test_a_key_that_anybody_can_guess(tmp_path: Path, domain: LoadedDomain, key: str, fit: bool) -> None:
    file = tmp_path / "documents.key"
    file.write_text(f"{key}\n")
    found = reasons(settings(tmp_path, master_key=file), domain)
    assert (found == []) is fit
