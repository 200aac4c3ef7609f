"""Token profiles as data: each shipped one with tokens of its country and their verdicts; what a file may say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.etree import _Element

from affinity.domain import DomainError, load, locate
from ihe.datatypes import Code
from ihe.exchange import Principal
from soap.xml import parse
from tests.xua.stage import Stage
from xua.errors import AssertionRefused
from xua.names import HL7, SAML
from xua.profile_files import SHIPPED, shipped
from xua.profile_files import parse as parse_profile
from xua.profiles import CLAIMS, TokenProfile
from xua.trust import TrustedIssuer
from xua.verifier import Verifier

GLN = 'Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="urn:gs1:gln"'
ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
SUBJECT_ID = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ORGANIZATION = "urn:oasis:names:tc:xspa:1.0:subject:organization"
ORGANIZATION_ID = "urn:oasis:names:tc:xspa:1.0:subject:organization-id"
RESOURCE = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
SPID = "761337610435200998^^^&amp;2.16.756.5.30.1.127.3.10.3&amp;ISO"
INS = "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"

Values = dict[str, tuple[str, ...]]


def ce(element: str, code: str, system: str) -> str:
    return f'<{element} xmlns="{HL7}" code="{code}" codeSystem="{system}"/>'


SWISS: Values = {
    SUBJECT_ID: ("Ann Andrews",),
    ORGANIZATION: ("Auryn-Spital",),
    ORGANIZATION_ID: ("urn:oid:2.16.10.89.201",),
    ROLE: (ce("Role", "HCP", "2.16.756.5.30.1.127.3.10.6"),),
    PURPOSE: (ce("PurposeOfUse", "NORM", "2.16.756.5.30.1.127.3.10.5"),),
    RESOURCE: (SPID,),
}
PATIENT: Values = {
    **SWISS,
    ORGANIZATION: (),
    ORGANIZATION_ID: (),
    ROLE: (ce("Role", "PAT", "2.16.756.5.30.1.127.3.10.6"),),
}
VIHF: Values = {
    "VIHF_Version": ("4.0",),
    "Ressource_URN": ("urn:dmp",),
    "Identifiant_Structure": ("1750000018",),
    "Secteur_Activite": ("SA01^1.2.250.1.71.4.2.4",),
    "Authentification_mode": ("INDIRECTE",),
    SUBJECT_ID: ("DUPONT Marie, cardiologie",),
    ROLE: (ce("Role", "10", "1.2.250.1.71.1.2.7"), ce("Role", "SM26", "1.2.250.1.71.4.2.5")),
    PURPOSE: (ce("PurposeOfUse", "normal", "1.2.250.1.213.1.1.4.248"),),
    RESOURCE: (INS,),
    "LPS_Nom": ("Logiciel",),
    "LPS_Version": ("1.0",),
}
ELGA: Values = {
    "urn:oasis:names:tc:xacml:1.0:subject:subject-id": ("Dr. Anna Muster",),
    ORGANIZATION_ID: ("1.2.40.0.34.3.1.1000",),
    ROLE: (ce("Role", "702", "1.2.40.0.34.5.3"),),
    PURPOSE: ("PUBLICHEALTH",),
    "urn:elga:bes:permission": ("urn:elga:bes:2013:permission:eBefunde", "urn:elga:bes:2013:permission:eMedikation"),
}
CONDITIONS = (
    '<Conditions NotBefore="2031-05-04T09:30:00Z" NotOnOrAfter="2031-05-04T09:40:00Z"><AudienceRestriction>'
    "<Audience>urn:example:affinity-domain</Audience></AudienceRestriction></Conditions>"
)
BEARER = '<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>'
AUTHN = (
    '<AuthnStatement AuthnInstant="2031-05-04T09:29:00Z"><AuthnContext>'
    "<AuthnContextClassRef>urn:x</AuthnContextClassRef></AuthnContext></AuthnStatement>"
)


def token(values: Values, name_id: str = "", conditions: str = CONDITIONS, confirmation: str = BEARER) -> _Element:
    """An assertion, not yet signed, with these attributes."""
    attributes = "".join(
        f'<Attribute Name="{name}">{"".join(f"<AttributeValue>{each}</AttributeValue>" for each in listed)}</Attribute>'
        for name, listed in values.items()
    )
    return parse(
        f'<Assertion xmlns="{SAML}" ID="_1" IssueInstant="2031-05-04T09:30:00Z" Version="2.0">'
        f"<Issuer>https://sts.example.lu</Issuer><Subject><NameID {name_id}>7601002469191</NameID>{confirmation}"
        f"</Subject>{conditions}{AUTHN}<AttributeStatement>{attributes}</AttributeStatement></Assertion>".encode()
    )


Check = Callable[..., Principal]


@pytest.fixture
def check(stage: Stage) -> Check:
    """Sign a token and show it to a node that expects tokens of a profile."""

    def verify(profile: TokenProfile, assertion: _Element, *audiences: str) -> Principal:
        issuer = TrustedIssuer(entity_id=stage.issuer, certificates=(stage.sts.certificate,), profile=profile)
        stage.trust.trust(issuer)
        envelope = parse(stage.message(stage.sign(assertion)))
        return Verifier(stage.trust, audiences or (stage.audience,)).verify(envelope, stage.now)

    return verify


def without(values: Values, *names: str, **more: tuple[str, ...]) -> Values:
    return {name: listed for name, listed in {**values, **more}.items() if name not in names}


def changed(values: Values, name: str, *listed: str) -> Values:
    return {**values, name: listed}


GOOD = {
    "a Swiss professional": ("swiss-epr", token(SWISS, GLN)),
    "a Swiss patient": ("swiss-epr", token(PATIENT, GLN.replace("urn:gs1:gln", "urn:e-health-suisse:2015:epr-spid"))),
    "a French professional": ("vihf-4", token(VIHF, conditions="", confirmation="")),
    "an Austrian professional": ("elga", token(ELGA)),
    "nothing but a name": ("ihe-xua", token({"urn:x": ("y",)})),
}
SYSTEM = "2.16.756.5.30.1.127.3.10.6"
BAD = {
    "no EPR-SPID": ("swiss-epr", token(without(SWISS, RESOURCE), GLN), RESOURCE),
    "two Swiss roles": ("swiss-epr", token(changed(SWISS, ROLE, *SWISS[ROLE] * 2), GLN), "not exactly one value"),
    "a role of another system": ("swiss-epr", token(changed(SWISS, ROLE, ce("Role", "HCP", "2.25.1")), GLN), "2.25.1"),
    "a role nobody has": ("swiss-epr", token(changed(SWISS, ROLE, ce("Role", "BOSS", SYSTEM)), GLN), "none of"),
    "a professional of no organisation": ("swiss-epr", token(changed(SWISS, ORGANIZATION_ID), GLN), "acts for an org"),
    "a name that is no GLN": ("swiss-epr", token(SWISS, GLN.replace("gs1", "x")), "NameQualifier"),
    "a name that does not last": ("swiss-epr", token(SWISS, GLN.replace("persistent", "transient")), "Format"),
    "an old VIHF": ("vihf-4", token(changed(VIHF, "VIHF_Version", "3.0"), conditions=""), "VIHF_Version"),
    "a VIHF for another service": (
        "vihf-4",
        token(changed(VIHF, "Ressource_URN", "urn:ror"), conditions=""),
        "urn:ror",
    ),
    "a VIHF for nobody": ("vihf-4", token(without(VIHF, "Ressource_URN"), conditions=""), "Ressource_URN"),
    "a VIHF without structure": ("vihf-4", token(without(VIHF, "Identifiant_Structure")), "Identifiant_Structure"),
    "a VIHF that lives for a day": (
        "vihf-4",
        token(VIHF, conditions='<Conditions NotOnOrAfter="2031-05-05T09:30:00Z"/>'),
        "longer than 60 minutes",
    ),
    "an ELGA role of another system": ("elga", token(changed(ELGA, ROLE, ce("Role", "702", "2.25.1"))), "2.25.1"),
    "an organisation that is no OID": ("elga", token(changed(ELGA, ORGANIZATION_ID, "Spital")), "not an OID"),
    "no confirmation, where IHE wants one": ("ihe-xua", token({"urn:x": ("y",)}, confirmation=""), "Confirmation"),
    "no conditions, where IHE wants them": ("ihe-xua", token({"urn:x": ("y",)}, conditions=""), "Conditions"),
}


@pytest.mark.parametrize("case", GOOD)
def test_the_tokens_of_a_country_are_read_by_its_profile(check: Check, case: str) -> None:
    profile, assertion = GOOD[case]
    principal = check(shipped()[profile], assertion, "urn:example:affinity-domain", "urn:dmp")
    assert principal.name_id == "7601002469191"


@pytest.mark.parametrize("case", BAD)
def test_one_change_and_the_profile_refuses(check: Check, case: str) -> None:
    profile, assertion, reason = BAD[case]
    with pytest.raises(AssertionRefused) as caught:
        check(shipped()[profile], assertion, "urn:example:affinity-domain", "urn:dmp")
    assert reason in caught.value.reason


def test_every_value_arrives_in_one_form(check: Check) -> None:
    french = check(shipped()["vihf-4"], token(VIHF, conditions=""), "urn:dmp")
    assert french.resource_id == "279035121518989^^^&1.2.250.1.213.1.4.10&ISO"
    assert [role.code for role in french.roles] == ["10", "SM26"]
    assert french.organization_id == ("1750000018",)
    austrian = check(shipped()["elga"], token(ELGA))
    assert austrian.organization_id == ("urn:oid:1.2.40.0.34.3.1.1000",)
    assert austrian.purpose_of_use == (Code("PUBLICHEALTH", "2.16.840.1.113883.3.18.7.1"),)
    assert austrian.subject_id == "Dr. Anna Muster"


def test_a_token_without_end_ends_all_the_same(stage: Stage) -> None:
    issuer = TrustedIssuer(entity_id=stage.issuer, certificates=(stage.sts.certificate,), profile=shipped()["vihf-4"])
    stage.trust.trust(issuer)
    verifier = Verifier(stage.trust, ["urn:dmp"])
    envelope = parse(stage.message(stage.sign(token(VIHF, conditions=""))))
    assert verifier.verify(envelope, stage.now.replace(hour=10, minute=30))
    with pytest.raises(AssertionRefused, match="not valid now"):
        verifier.verify(envelope, stage.now.replace(hour=10, minute=31))


def test_the_authz_consent_option_and_other_identifiers_are_read(check: Check) -> None:
    values: Values = {
        "urn:ihe:iti:bppc:2007:docid": ("urn:oid:1.2.3.4",),
        "urn:ihe:iti:xua:2012:acp": ("urn:oid:1.2.3.5", "urn:oid:1.2.3.6"),
        "urn:ihe:iti:xua:2017:subject:provider-identifier": (
            f'<id xmlns="{HL7}" extension="1234567890" root="2.999.1.2.3.4.5"/>',
        ),
    }
    principal = check(shipped()["ihe-xua"], token(values))
    assert (principal.docid, principal.acp) == (("urn:oid:1.2.3.4",), ("urn:oid:1.2.3.5", "urn:oid:1.2.3.6"))
    assert principal.provider_identifier == ("1234567890^^^&2.999.1.2.3.4.5&ISO",)


def test_a_value_that_is_nil_is_no_value(check: Check) -> None:
    assertion = token({"urn:ihe:iti:xua:2012:acp": ("",)})
    (value,) = assertion.iter(f"{{{SAML}}}AttributeValue")
    with pytest.raises(AssertionRefused):
        check(shipped()["ihe-xua"], assertion)
    value.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    assert check(shipped()["ihe-xua"], assertion).acp == ()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Spital^^^^^^^^^2.16.10.89.201", "urn:oid:2.16.10.89.201"),
        ("Spital^^^^^&amp;2.25.1&amp;ISO^^^^4711", "4711^^^&2.25.1&ISO"),
        ("Spital^^^^^^^^^4711", None),
        ("Spital", None),
        ("^" * 20, None),
    ],
)
def test_an_organisation_may_be_an_xon(check: Check, value: str, read: str | None) -> None:
    profile = parse_profile(
        'title = "x"\nsource = "y"\n[[attribute]]\nname = "urn:org"\nclaim = "organization_id"\nread = "xon"', "x"
    )
    if read is None:
        with pytest.raises(AssertionRefused, match="XON"):
            check(profile, token({"urn:org": (value,)}))
    else:
        assert check(profile, token({"urn:org": (value,)})).organization_id == (read,)


HEAD = 'title = "T"\nsource = "S"\n'
ATTRIBUTE = '[[attribute]]\nname = "urn:a"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "not TOML"),
        ('title = "T"', "source"),
        (HEAD + "colour = 1", "colour"),
        (HEAD + "patient_bound = 1", "patient_bound: must be bool"),
        (HEAD + ATTRIBUTE + 'claim = "shoe_size"', "claim must be one of"),
        (HEAD + ATTRIBUTE + 'read = "tea leaves"', "read must be one of"),
        (HEAD + ATTRIBUTE + 'read = "ce"', "element"),
        (HEAD + ATTRIBUTE + 'read = "code"', "code_system"),
        (HEAD + ATTRIBUTE + 'claim = "npi"\nrepeatable = true', "cannot be repeatable"),
        (HEAD + ATTRIBUTE + ATTRIBUTE, "stand twice"),
        (HEAD + ATTRIBUTE + 'claim = "npi"\n[[attribute]]\nname = "urn:b"\nclaim = "npi"', "stand twice"),
        (HEAD + ATTRIBUTE + 'values = "x"', "list of texts"),
        (HEAD + "[[attribute]]\nrequired = true", "name"),
        (HEAD + 'attribute = "x"', "written as"),
        (HEAD + "[subject]\nconfirmation_methods = []", "confirmation_methods"),
        (HEAD + '[subject]\nconfirmation_methods = ["sender-vouches"]', "confirmation_methods"),
        (HEAD + "[conditions]\nperiod_required = false", "cannot be taken back"),
        (HEAD + "[conditions]\naudience_required = false", "audience_attribute"),
        (HEAD + '[[rule]]\nwhen = "urn:b"\ncodes = []\nrequires = []\nbecause = "c"', "no attributes of this profile"),
        (HEAD + 'extends = "nothing"', "no shipped profile"),
        (HEAD + 'extends = "../profiles/ihe-xua"', "no shipped profile"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_profile(text, "mine")
    assert str(caught.value).startswith("mine: ")


def test_a_profile_extends_a_shipped_one() -> None:
    mine = parse_profile(f'extends = "swiss-epr"\ntitle = "Canton"\n[[attribute]]\nname = "{RESOURCE}"\n', "canton")
    swiss = shipped()["swiss-epr"]
    assert mine.title == "Canton" and mine.source == swiss.source and mine.rules == swiss.rules
    assert mine.subject == swiss.subject and set(mine.by_name) == set(swiss.by_name)
    assert not mine.by_name[RESOURCE].required and swiss.by_name[RESOURCE].required


def test_the_profiles_of_a_domain_are_files_in_its_directory(tmp_path: Path) -> None:
    assert set(load("demo").token_profiles) == {file.stem for file in SHIPPED.glob("*.toml")}
    assert not load("connectathon").token_profiles["ihe-xua"].patient_bound
    for file in locate("demo").rglob("*.toml"):
        copy = tmp_path / file.relative_to(locate("demo"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    own = tmp_path / "token-profiles" / "ours.toml"
    own.parent.mkdir(exist_ok=True)
    own.write_text('extends = "ihe-xua"\ntitle = "Ours"\n')
    assert load(tmp_path).token_profiles["ours"].title == "Ours"
    own.write_text('titel = "Ours"\n')
    with pytest.raises(DomainError, match=r"token-profiles/ours\.toml: .*titel"):
        load(tmp_path)


def test_every_claim_is_read_by_ihe_xua() -> None:
    assert set(shipped()["ihe-xua"].by_claim) == CLAIMS
