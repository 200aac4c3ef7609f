"""The TOML files of a domain directory: every key, its form, and whether it may be absent."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hl7v2.encoding import Charset
from ihe.identifiers import is_oid
from mllp.validation import Policy
from xua.authentication import XUAMode


def _oid(text: str) -> str:
    if not is_oid(text):
        raise ValueError("must be an OID of at most 64 characters, such as 1.3.6.1.4.1.21367")
    return text


def _oid_urn(text: str) -> str:
    if not text.startswith("urn:oid:") or not is_oid(text.removeprefix("urn:oid:")):
        raise ValueError("must be an OID as a URN, such as urn:oid:1.2.3 (ITI TF-3: 4.2.3.2.12)")
    return text


MLLP_SCHEMES, SOAP_SCHEMES = ("mllp", "mllps"), ("http", "https")


def _wire(text: str) -> str:
    scheme, port = urlsplit(text).scheme, _port(text)
    if scheme in MLLP_SCHEMES and port and not urlsplit(text).path:
        return text
    if scheme in SOAP_SCHEMES and urlsplit(text).hostname and port is not None:
        return text
    raise ValueError("must be mllp://host:port, mllps://host:port, or the URL of a SOAP service")


def _port(text: str) -> int | None:
    """The port of an address, 0 where it names a host alone, None where it makes no sense."""
    try:
        address = urlsplit(text)
        return (address.port or 0) if address.hostname else None
    except ValueError:
        return None


OID = Annotated[str, AfterValidator(_oid)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
Designator = Annotated[str, StringConstraints(pattern=r"^[^&^~|\\]*&[^&^~|\\]+&[A-Za-z0-9]+$")]
"""An HD whose universal id is no OID: ``CHU-X&000897406&N``."""
Display = dict[Language, Text]


class Table(BaseModel):
    """A TOML table without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DomainTable(Table):
    """Who the domain is."""

    name: Name
    home_community_id: Annotated[str, AfterValidator(_oid_urn)]
    repository_unique_id: OID
    application: Name = "AFFINITY"
    facility: Name = "AFFINITY"
    max_results: Annotated[int, Field(ge=1)] = 2000
    display: Display = {}


class PolicyTable(Table):
    """What it asks of its wires."""

    xua: XUAMode = XUAMode.REQUIRED
    plain_loopback: bool = False
    partners_by_source: bool = False
    unknown_partners: Literal["refuse", "admit"] = "refuse"


class DomainFile(Table):
    """domain.toml."""

    domain: DomainTable
    policy: PolicyTable = PolicyTable()


class AuthorityTable(Table):
    """One patient identifier domain; ``sources`` are facilities of organizations.toml, or ``*``.

    ``aliases`` are further spellings of CX.4, ``namespace&id&type``.
    """

    namespace_id: Name
    oid: OID
    issues_xds_ids: bool = False
    national: bool = False
    sources: tuple[str, ...]
    aliases: tuple[Designator, ...] = ()
    display: Display = {}


class AuthoritiesFile(Table):
    """authorities.toml."""

    authority: tuple[AuthorityTable, ...]


class ApplicationTable(Table):
    """One system: its name in MSH-3, its HL7 v3 device id, and how its HL7 v2 messages are read.

    ``validate``: what hl7apy is asked about them. ``charset``: the one of table 0211 in which they are written where
    MSH-18 is empty; None: UTF-8.
    """

    name: Name
    device: OID | None = None
    validation: Policy = Field(Policy.OFF, alias="validate")
    charset: Charset | None = None


class OrganizationTable(Table):
    """One hospital, laboratory or other participant."""

    facility: Name
    oid: OID
    kind: Literal["hospital", "laboratory", "practice", "pharmacy", "agency"]
    applications: tuple[ApplicationTable, ...]
    display: Display = {}


class OrganizationsFile(Table):
    """organizations.toml."""

    organization: tuple[OrganizationTable, ...] = ()


class SubscriberTable(Table):
    """A PIX Consumer that is told of changed ids over ``wire``; no ``domains`` (namespace ids) means all.

    HL7 v2 calls it by ``application`` and ``facility`` (MSH-5, MSH-6), HL7 v3 by its ``device`` id.
    """

    name: Name
    wire: Annotated[str, AfterValidator(_wire)]
    domains: tuple[Name, ...] = ()
    application: Name | None = None
    facility: Name | None = None
    device: OID | None = None

    @model_validator(mode="after")
    def _names_its_receiver(self) -> Self:
        if urlsplit(self.wire).scheme in SOAP_SCHEMES:
            if self.device is None:
                raise ValueError("a subscriber over SOAP needs its device, an OID (ITI TF-2: Table O.1.1-1)")
        elif self.application is None or self.facility is None:
            raise ValueError("a subscriber over MLLP needs application and facility, MSH-5 and MSH-6 (ITI TF-2: C.2.2)")
        return self


class SubscribersFile(Table):
    """subscribers.toml; it may be absent."""

    subscriber: tuple[SubscriberTable, ...] = ()


SYSLOG_SCHEMES = ("syslog+tls", "syslog+udp")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _repository_wire(text: str) -> str:
    address, port = urlsplit(text), _port(text)
    if address.scheme in SYSLOG_SCHEMES and port and not address.path:
        return text
    if address.scheme == "https" and port is not None and not address.query:
        return text
    if address.scheme == "http" and address.hostname in LOOPBACK:
        return text
    raise ValueError(
        "must be syslog+tls://host:port, syslog+udp://host:port, or the https base URL of a FHIR server "
        "(http on a loopback address alone)"
    )


class RepositoryTable(Table):
    """An Audit Record Repository that the audit trail is forwarded to (ITI TF-2: 3.20)."""

    name: Name
    wire: Annotated[str, AfterValidator(_repository_wire)]


class RepositoriesFile(Table):
    """repositories.toml; it may be absent."""

    repository: tuple[RepositoryTable, ...] = ()


class SchemeTable(Table):
    """The codes of one coding scheme, each with its display name or with one per language."""

    oid: OID | None = None
    name: str
    codes: dict[Text, Text | Display]


class CodesFile(Table):
    """codes/ATTRIBUTE.toml."""

    scheme: tuple[SchemeTable, ...]
