"""``partners/*.toml``: what the demo has agreed, and what is said about files that are wrong, all at once."""

import shutil
from pathlib import Path

import pytest

from affinity.domain import SHIPPED, DomainError, load
from affinity.partners import SourceId, SourceKind
from ihe.partners import Quirk, Validation

GOOD = """
transactions = ["ITI-8"]
validation = "record-only"

[[certificate]]
sha256 = "AB:FINGERPRINT"

[sources]
hl7v2 = ["RIS|CLINIC"]

[xua]
issuers = ["https://sts.example.org"]
profile = "ihe-xua"

[[quirk]]
name = "oid-prefix"
until = 2027-06-30
reason = "RIS 3 writes urn:oid: before repositoryUniqueId"

[limits]
requests_per_second = 5
connections = 3
""".replace("FINGERPRINT", ":".join(["cd"] * 31))


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    """A copy of the demo domain without its partners."""
    shutil.copytree(SHIPPED / "demo", tmp_path / "domain")
    shutil.rmtree(tmp_path / "domain" / "partners")
    return tmp_path / "domain"


def put(domain: Path, **files: str) -> Path:
    (domain / "partners").mkdir(exist_ok=True)
    for name, text in files.items():
        (domain / "partners" / f"{name}.toml").write_text(text, encoding="utf-8")
    return domain


def faults(domain: Path) -> list[str]:
    with pytest.raises(DomainError) as caught:
        load(domain)
    return [str(fault) for fault in caught.value.faults]


def test_the_demo_has_partners_that_speak_as_themselves() -> None:
    found = {each.partner.name: each for each in load("demo").agreements}
    assert set(found) == {"development", "hop-petrusse", "lab-moselle"}
    laboratory = found["lab-moselle"]
    assert laboratory.speaks_as(SourceId(SourceKind.HL7V2, "GLIMS|LAB-MOSELLE"))
    assert not laboratory.speaks_as(SourceId(SourceKind.HL7V2, "HIS|HOP-PETRUSSE"))
    assert found["development"].speaks_as(SourceId(SourceKind.HL7V2, "ANY|BODY"))


def test_a_domain_without_the_directory_has_no_partners_and_admits_everybody(domain: Path) -> None:
    assert load(domain).partners.agreements == ()
    assert load(domain).partners.admits_unknown


def test_every_key_reaches_the_agreement(domain: Path) -> None:
    (agreement,) = load(put(domain, clinic=GOOD)).agreements
    assert agreement.partner.name == "clinic"
    assert agreement.partner.validation is Validation.RECORD_ONLY
    assert [f"{quirk} {day}" for quirk, day in agreement.partner.quirks.items()] == ["oid-prefix 2027-06-30"]
    assert Quirk.OID_PREFIX in agreement.partner.quirks
    assert agreement.fingerprints == {"ab" + "cd" * 31}
    assert agreement.transactions == {"ITI-8"}
    assert agreement.issuers == {"https://sts.example.org"}
    assert agreement.token_profile == "ihe-xua"
    assert (agreement.allowance.requests_per_second, agreement.allowance.burst) == (5, 5)
    assert agreement.allowance.connections == 3


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"ITI-8"', '"ITI-99"', 'clinic.toml: transactions.1: ITI-99 is neither "*" nor one of: ITI-8, ITI-9,'),
        ('"record-only"', '"loose"', "clinic.toml: validation: Input should be 'strict', 'lenient' or 'record-only'"),
        ("AB:", "XY:", "clinic.toml: certificate.1.sha256: must be the SHA-256 of the certificate"),
        ("sha256", 'subject = "CN=x"\nsha256', "clinic.toml: certificate.1: give either sha256, or subject or san"),
        ("RIS|CLINIC", "RIS", "clinic.toml: sources.hl7v2.1: String should match pattern"),
        ('"oid-prefix"', '"sha-1"', "clinic.toml: quirk.1.name: is none of: oid-prefix, foreign-ids"),
        ("until = 2027-06-30\n", "", "clinic.toml: quirk.1.until: Field required"),
        ("requests_per_second = 5", "burst = 5", "clinic.toml: limits: burst needs requests_per_second"),
        ("[limits]", "[limit]", "clinic.toml: limit: Extra inputs are not permitted"),
        (
            "[limits]",
            "[proxy]\nheader = 'X: y'\n[limits]",
            "clinic.toml: proxy.header: must be the name",
        ),
        ("[sources]", "[sources]\nanybody = true", "clinic.toml: sources.anybody: speaks as anybody"),
        ("[limits]", "[proxy]\n[limits]", "clinic.toml: transactions: a proxy asks for nothing itself"),
    ],
)
def test_a_fault_is_told_with_its_file_and_key(domain: Path, old: str, new: str, rule: str) -> None:
    assert old in GOOD
    (fault,) = faults(put(domain, clinic=GOOD.replace(old, new, 1)))
    assert fault.startswith(f"partners/{rule}")


def test_faults_of_several_files_are_told_at_once(domain: Path) -> None:
    put(domain, clinic=GOOD.replace('"ITI-8"', '"ITI-99"'), practice="transactions = 7")
    (domain / "authorities.toml").write_text("authority = 1")
    assert [each.partition(":")[0] for each in faults(domain)] == [
        "authorities.toml",
        "partners/clinic.toml",
        "partners/practice.toml",
    ]


def test_what_two_partners_claim_is_a_fault(domain: Path) -> None:
    assert faults(put(domain, clinic=GOOD, practice=GOOD)) == [
        f"partners/practice.toml: certificate: ab{'cd' * 31} is claimed by partners/clinic.toml, too",
        "partners/practice.toml: sources: hl7v2 RIS|CLINIC is claimed by partners/clinic.toml, too",
    ]


def test_a_name_needs_the_authority_that_certified_it(domain: Path) -> None:
    written = 'transactions = []\n[[certificate]]\nsan = "dns:lis.example.org"\n'
    (fault,) = faults(put(domain, clinic=written))
    assert "subject and san need authority" in fault


def test_a_partner_names_a_token_profile_that_the_domain_has(domain: Path) -> None:
    put(domain, ris=GOOD.replace('"ihe-xua"', '"ours"'))
    (fault,) = faults(domain)
    assert fault.startswith("partners/ris.toml: xua.profile: ours is no token profile; there are affinity, elga")
    (domain / "token-profiles").mkdir()
    (domain / "token-profiles" / "ours.toml").write_text('extends = "ihe-xua"\ntitle = "Ours"\n')
    assert [each.token_profile for each in load(domain).agreements] == ["ours"]
