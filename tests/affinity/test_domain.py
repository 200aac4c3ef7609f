"""Domain directories: the two that ship, and what is said about one that is wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from affinity.domain import SHIPPED, DomainError, load
from affinity.domain_model import Repository
from affinity.settings import XUAMode
from ihe.datatypes import HD, Code

CONNECTATHON_CODES = Path("../shared/spec/iti/data/connectathon-codes.xml")
Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the demo domain in which one text of one file is replaced."""

    def edit(file: str, old: str, new: str) -> Path:
        directory = tmp_path / "domain"
        shutil.copytree(SHIPPED / "demo", directory)
        text = (directory / file).read_text(encoding="utf-8")
        assert old in text
        (directory / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return directory

    return edit


def faults(directory: Path | str) -> list[str]:
    with pytest.raises(DomainError) as caught:
        load(directory)
    return [str(fault) for fault in caught.value.faults]


def test_the_demo_domain_has_a_national_number_and_one_authority_for_documents() -> None:
    authorities = load("demo").affinity_domain.assigning_authorities
    assert [each.namespace_id for each in authorities if each.national] == ["MATRICULE"]
    assert [each.namespace_id for each in authorities if each.issues_xds_ids] == ["DSP"]
    assert all(set(each.display) == {"en", "fr", "de", "lb"} for each in authorities)


def test_the_demo_domain_has_three_hospitals_and_two_laboratories() -> None:
    kinds = [each.kind for each in load("demo").organizations]
    assert sorted(kinds) == ["hospital", "hospital", "hospital", "laboratory", "laboratory"]


def test_a_hospital_number_may_come_only_from_the_systems_of_its_hospital() -> None:
    domain = load("demo")
    laboratory = next(each for each in domain.organizations if each.facility == "LAB-MOSELLE")
    authority = domain.affinity_domain.authority(HD("LAB-MOSELLE"))
    assert authority is not None
    device = laboratory.applications[0].device
    assert authority.sources == ("GLIMS|LAB-MOSELLE", f"{device}|{laboratory.oid}", f"{device}|")


def test_codes_carry_their_names_in_four_languages() -> None:
    laboratory_report = Code("11502-2", "2.16.840.1.113883.6.1")
    domain = load("demo")
    assert laboratory_report in domain.affinity_domain.codes["typeCode"]
    assert domain.code_display["typeCode"][laboratory_report] == {
        "en": "Laboratory report",
        "fr": "Compte rendu d'examens biologiques",
        "de": "Laborbefund",
        "lb": "Laborapport",
    }


def test_in_the_connectathon_domain_anybody_feeds_any_of_the_five_authorities() -> None:
    domain = load("connectathon")
    issuers = {each.oid: each for each in domain.affinity_domain.assigning_authorities if each.issues_xds_ids}
    assert set(issuers) == {
        "1.3.6.1.4.1.21367.13.20.1000",
        "1.3.6.1.4.1.21367.13.20.2000",
        "1.3.6.1.4.1.21367.13.20.3000",
        "1.3.6.1.4.1.21367.3000.1.6",
        "1.3.6.1.4.1.21367.2005.13.20.1000",
    }
    assert {each.sources for each in issuers.values()} == {("*",)}


def test_the_connectathon_domain_takes_matricules_but_registers_no_documents_under_them() -> None:
    domain = load("connectathon")
    national = [each for each in domain.affinity_domain.assigning_authorities if each.national]
    assert [(each.oid, each.issues_xds_ids) for each in national] == [("1.3.6.1.4.1.21367.13.20.9999", False)]
    assert domain.policy.xua is XUAMode.OPTIONAL
    assert domain.policy.plain_loopback


def test_the_connectathon_domain_has_every_connectathon_code() -> None:
    if not CONNECTATHON_CODES.exists():
        pytest.skip("the Connectathon code lists (../shared/spec/iti/data) are not beside this checkout")
    codes = load("connectathon").affinity_domain.codes
    for code_type in etree.parse(str(CONNECTATHON_CODES)).iter("CodeType"):
        name = code_type.get("name", "")
        attribute = "codeList" if name == "folderCodeList" else name
        wanted = {Code(each.get("code", ""), each.get("codingScheme", "")) for each in code_type if each.get("code")}
        assert codes[attribute] == wanted


ALIASED = 'namespace_id = "HOP-SURE"\naliases = ["HOP-SURE&000897406&N", "&000897406&M"]'


def test_an_authority_has_other_names_where_sources_use_them(edited: Edit) -> None:
    domain = load(edited("authorities.toml", 'namespace_id = "HOP-SURE"', ALIASED)).affinity_domain
    named = [domain.authority(each) for each in (HD("HOP-SURE", "000897406", "N"), HD("", "000897406", "M"))]
    assert [each and each.namespace_id for each in named] == ["HOP-SURE", "HOP-SURE"]
    assert domain.authority(HD("HOP-SURE", "000897406", "M")) is None


def test_an_unknown_name_is_answered_with_the_names_that_exist() -> None:
    assert faults("luxemburg") == ["luxemburg: is no directory with a domain.toml, nor one of: connectathon, demo"]


def test_a_copied_directory_is_taken_by_its_path(edited: Edit) -> None:
    directory = edited("domain.toml", 'name = "demo"', 'name = "ours"')
    assert load(directory).affinity_domain.name == "ours"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("domain.toml", 'xua = "required"', 'xua = "maybe"', "domain.toml: policy.xua: Input should be"),
        ("domain.toml", "max_results", "max_result", "domain.toml: domain.max_result: Extra inputs are not permitted"),
        ("domain.toml", '"urn:oid:2', '"2', "domain.toml: domain.home_community_id: must be an OID as a URN"),
        ("domain.toml", "[domain]", "[domain", "domain.toml: is not TOML in UTF-8"),
        ("authorities.toml", 'oid = "2.25', 'oid = "2.025', "authorities.toml: authority.1.oid: must be an OID"),
        ("authorities.toml", 'sources = ["HOP-SURE"]', 'sources = ["HOP-SUR"]', "authority.5.sources: HOP-SUR is no"),
        ("authorities.toml", '"DSP"', '"MATRICULE"', "authority.namespace_id: MATRICULE stands twice"),
        ("authorities.toml", '"DSP"', '"DSP"\naliases = ["A&1&N", "A&1&N"]', "authority.aliases: A&1&N stands twice"),
        ("authorities.toml", "issues_xds_ids = true", "", "no authority issues XDS patient ids"),
        ("organizations.toml", '"HOP-SURE"', '"HOP-ALZETTE"', "organization.facility: HOP-ALZETTE stands twice"),
        ("organizations.toml", '"hospital"', '"hopital"', "organizations.toml: organization.1.kind: Input should be"),
        ("codes/classCode.toml", "oid =", "# oid =", "codes/classCode.toml: scheme.1.oid: every code needs its scheme"),
        ("codes/mimeType.toml", "name =", 'oid = "1.2"\nname =', "codes/mimeType.toml: scheme.1.oid: must be absent"),
        ("codes/typeCode.toml", "[scheme.codes]", '[scheme.codes]\n"X" = {}', "scheme.1.codes.X: needs a display name"),
    ],
)
def test_a_fault_names_its_file_its_key_and_the_rule(edited: Edit, file: str, old: str, new: str, fault: str) -> None:
    assert any(fault in each for each in faults(edited(file, old, new)))


def test_a_code_list_of_an_attribute_that_has_none_is_refused(edited: Edit) -> None:
    directory = edited("domain.toml", 'name = "demo"', 'name = "ours"')
    (directory / "codes" / "titleCode.toml").write_text("scheme = []")
    assert faults(directory)[0].startswith("codes/titleCode.toml: is named after none of: classCode")


def test_all_faults_are_reported_together(edited: Edit) -> None:
    directory = edited("domain.toml", 'xua = "required"', 'xua = "maybe"')
    (directory / "organizations.toml").unlink()
    assert [each.split(":")[0] for each in faults(directory)] == ["domain.toml", "organizations.toml"]


SUBSCRIBER = """[[subscriber]]
name = "cardiology"
wire = "mllps://card.example.org:2576"
domains = ["DSP"]
application = "CARDIO"
facility = "HOP-PETRUSSE"
"""


@pytest.fixture
def subscribed(edited: Edit) -> Callable[[str], Path]:
    """The demo domain with a subscribers.toml."""

    def write(text: str) -> Path:
        directory = edited("domain.toml", "[domain]", "[domain]")
        (directory / "subscribers.toml").write_text(text, encoding="utf-8")
        return directory

    return write


def test_a_domain_without_subscribers_tells_nobody() -> None:
    assert load("demo").subscribers == ()


def test_a_subscriber_is_read_with_the_oids_of_its_domains(subscribed: Callable[[str], Path]) -> None:
    loaded = load(subscribed(SUBSCRIBER))
    authority = loaded.affinity_domain.authority(HD("DSP"))
    assert authority is not None
    (subscriber,) = loaded.subscribers
    assert (subscriber.name, subscriber.wire) == ("cardiology", "mllps://card.example.org:2576")
    assert subscriber.domains == {authority.oid}
    assert (subscriber.application, subscriber.facility) == ("CARDIO", "HOP-PETRUSSE")


def test_a_subscriber_over_soap_has_a_device_and_wants_every_domain(subscribed: Callable[[str], Path]) -> None:
    text = '[[subscriber]]\nname = "lab"\nwire = "https://lab.example.org/pix"\ndevice = "2.25.9"\n'
    (subscriber,) = load(subscribed(text)).subscribers
    assert (subscriber.device, subscriber.domains) == ("2.25.9", frozenset())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"DSP"', '"NOPE"', "subscribers.toml: subscriber.1.domains: NOPE is no namespace_id of authorities.toml"),
        (
            'application = "CARDIO"\n',
            "",
            "subscribers.toml: subscriber.1: a subscriber over MLLP needs application and facility, MSH-5 and MSH-6 "
            "(ITI TF-2: C.2.2)",
        ),
        (
            "mllps://card.example.org:2576",
            "https://card.example.org/pix",
            "subscribers.toml: subscriber.1: a subscriber over SOAP needs its device, an OID (ITI TF-2: Table O.1.1-1)",
        ),
        ("domains", "domain", "subscribers.toml: subscriber.1.domain: Extra inputs are not permitted"),
        *(
            (
                "mllps://card.example.org:2576",
                wrong,
                "subscribers.toml: subscriber.1.wire: must be mllp://host:port, mllps://host:port, or the URL of a "
                "SOAP service",
            )
            for wrong in ("card.example.org:2576", "mllp://card", "mllp://card:99999", "ftp://card:1", "https:///pix")
        ),
    ],
)
def test_a_wrong_subscriber_is_named_with_its_key_and_the_rule(
    old: str, new: str, fault: str, subscribed: Callable[[str], Path]
) -> None:
    assert old in SUBSCRIBER
    assert faults(subscribed(SUBSCRIBER.replace(old, new))) == [fault]


def test_two_subscribers_of_one_name_are_a_fault(subscribed: Callable[[str], Path]) -> None:
    assert faults(subscribed(SUBSCRIBER * 2)) == ["subscribers.toml: subscriber.name: cardiology stands twice"]


REPOSITORY = '[[repository]]\nname = "arr"\nwire = "{}"\n'


def _domain_with(tmp_path: Path, repositories: str) -> Path:
    directory = tmp_path / "domain"
    shutil.copytree(SHIPPED / "demo", directory)
    (directory / "repositories.toml").write_text(repositories)
    return directory


@pytest.mark.parametrize(
    "wire",
    [
        "syslog+tls://arr.example:6514",
        "syslog+udp://10.0.0.1:514",
        "https://arr.example/fhir",
        "http://127.0.0.1:8080/fhir",
    ],
)
def test_an_audit_repository_is_read(tmp_path: Path, wire: str) -> None:
    assert load(_domain_with(tmp_path, REPOSITORY.format(wire))).repositories == (Repository(name="arr", wire=wire),)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (REPOSITORY.format("syslog+tls://arr.example"), "repositories.toml: repository.1.wire"),
        (REPOSITORY.format("http://arr.example/fhir"), "http on a loopback address alone"),
        (REPOSITORY.format("tcp://arr.example:514"), "must be syslog+tls"),
        (REPOSITORY.format("syslog+udp://10.0.0.1:514") * 2, "arr stands twice"),
    ],
)
def test_an_audit_repository_that_cannot_be_meant_is_a_fault(tmp_path: Path, written: str, complaint: str) -> None:
    with pytest.raises(DomainError, match=complaint.replace("+", r"\+")):
        load(_domain_with(tmp_path, written))
