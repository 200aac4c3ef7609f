"""An affinity domain as a directory of TOML files (ITI TF-1: Appendix L); ``domains/demo`` is one to copy.

``load`` takes the directory, or the name of a shipped one, and gives the checked domain or every fault at once.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from affinity import token_profiles
from affinity.access_file import AccessFile
from affinity.domain_faults import (
    Fault,
    inconsistencies,
    repeated_repositories,
    scheme_faults,
    unknown_interests,
    unknown_trust,
)
from affinity.domain_files import (
    AuthoritiesFile,
    AuthorityTable,
    CodesFile,
    DomainFile,
    OrganizationsFile,
    OrganizationTable,
    RepositoriesFile,
    SubscribersFile,
    Table,
)
from affinity.golden_file import GoldenFile
from affinity.matching_files import MatchingFiles, WrongMatching
from affinity.matching_files import read as read_matching
from affinity.partner_agreements import agreement, contradictions, unknown_profiles
from affinity.partner_files import PartnerFile
from affinity.partners import Agreement, Partners
from affinity.record_file import RecordFile, RecordRules
from consent.policy import Policy as AccessPolicy
from hl7v2.encoding import Charset
from ihe.datatypes import HD, Code
from ihe.domain import AffinityDomain, AssigningAuthority
from mllp.validation import Policy
from pix.golden import Survivorship
from pix.update_notifications import Subscription
from xua.authentication import XUAMode
from xua.profile_files import shipped
from xua.profiles import TokenProfile

SHIPPED = Path(__file__).resolve().parent.parent / "domains"
CODED_ATTRIBUTES = (
    "classCode",
    "typeCode",
    "formatCode",
    "confidentialityCode",
    "healthcareFacilityTypeCode",
    "practiceSettingCode",
    "eventCodeList",
    "contentTypeCode",
    "codeList",
    "associationDocumentation",
    "mimeType",
    "languageCode",
)
"""Attributes with a code list; ``codeList`` is the Folder's (ITI TF-3: 4.2.3.4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPolicy:
    """What the domain asks of the wires: assertions on SOAP, and plain ports on the loopback interface.

    ``partners_by_source``: on ports without TLS a partner is known by its source ids. ``unknown_partners``: what
    becomes of who is no partner, where there are some: ``refuse`` or ``admit``.
    """

    xua: XUAMode
    plain_loopback: bool
    partners_by_source: bool = False
    unknown_partners: str = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A system of an organisation: its name in MSH-3, and its v3 device id (``root`` or ``root^extension``).

    ``validation`` says when hl7apy looks at its HL7 v2 messages, ``charset`` how one without MSH-18 is read.
    """

    name: str
    device: str | None = None
    validation: Policy = Policy.OFF
    charset: Charset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A hospital or laboratory of the domain. ``facility`` is its name in MSH-4, ``oid`` its id in v3 and in XON."""

    facility: str
    oid: str
    kind: str
    applications: tuple[Application, ...]
    display: Mapping[str, str]

    def senders(self) -> Iterator[str]:
        """Every ``application|facility`` pair under which its systems speak, in v2 and in v3."""
        for application in self.applications:
            yield f"{application.name}|{self.facility}"
            if application.device:
                yield f"{application.device}|{self.oid}"
                yield f"{application.device}|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A PIX Consumer that is told of changed ids; ``domains`` are the OIDs of those of interest to it, none means all.

    ``wire`` is a URL (mllp, mllps, http, https). MLLP names it by ``application`` and ``facility``, SOAP by ``device``.
    """

    name: str
    wire: str
    domains: frozenset[str] = frozenset()
    application: str = ""
    facility: str = ""
    device: str = ""

    @property
    def subscription(self) -> Subscription:
        """What the index has to know of it."""
        return Subscription(name=self.name, domains=self.domains, with_name=bool(self.device))


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An Audit Record Repository that the audit trail is forwarded to; ``wire`` is a URL (ITI TF-2: 3.20)."""

    name: str
    wire: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDomain:
    """A checked domain directory. ``display`` and ``code_display`` hold names by language (``en``, ``fr``, ...)."""

    affinity_domain: AffinityDomain
    policy: DomainPolicy
    organizations: tuple[Organization, ...]
    display: Mapping[str, str]
    code_display: Mapping[str, Mapping[Code, Mapping[str, str]]]
    matching: MatchingFiles
    subscribers: tuple[Subscriber, ...] = ()
    repositories: tuple[Repository, ...] = ()
    survivorship: Survivorship = field(default_factory=Survivorship)
    token_profiles: Mapping[str, TokenProfile] = field(default_factory=shipped)
    agreements: tuple[Agreement, ...] = ()
    record: RecordRules | None = None
    """The life of shared care records; None: there are none, and no access rights depend on them."""
    access: AccessPolicy = field(default_factory=AccessPolicy)

    @property
    def partners(self) -> Partners:
        """The nodes with which there is an agreement."""
        admits = self.policy.unknown_partners == "admit"
        return Partners(self.agreements, by_source=self.policy.partners_by_source, admits_unknown=admits)


class DomainError(Exception):
    """A domain directory that cannot be used, with every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def load(name_or_path: str | Path) -> LoadedDomain:
    """Read and check a domain directory, or a shipped domain by its name. Raises DomainError with every fault."""
    directory = locate(name_or_path)
    faults: list[Fault] = []
    main = _read(directory / "domain.toml", DomainFile, faults)
    authorities = _read(directory / "authorities.toml", AuthoritiesFile, faults)
    organizations = _read(directory / "organizations.toml", OrganizationsFile, faults)
    subscribers = _read_if_there(directory / "subscribers.toml", SubscribersFile, faults)
    repositories = _read_repositories(directory / "repositories.toml", faults)
    golden = _read_if_there(directory / "golden.toml", GoldenFile, faults)
    record = _read(path, RecordFile, faults) if (path := directory / "record.toml").exists() else None
    access = _read_if_there(directory / "access.toml", AccessFile, faults)
    codes = _read_codes(directory / "codes", faults)
    matching = _read_matching(directory, faults)
    tokens = token_profiles.read(directory, faults)
    partners = _read_partners(directory / "partners", faults)
    faults += unknown_profiles(partners, tokens)
    if main and authorities and organizations:
        faults += inconsistencies(authorities, organizations)
    if authorities and subscribers:
        faults += unknown_interests(authorities, subscribers)
    if organizations and golden:
        faults += unknown_trust(organizations, golden)
    if faults or not (main and authorities and organizations and subscribers and golden and access and matching):
        raise DomainError(faults)
    return replace(
        _assemble(main, authorities, organizations, codes, matching),
        subscribers=tuple(_subscribers(subscribers, authorities)),
        repositories=repositories,
        survivorship=golden.survivorship(),
        token_profiles=MappingProxyType(dict(tokens)),
        agreements=tuple(agreement(name, written) for name, written in partners.items()),
        record=record.rules() if record else None,
        access=access.policy(),
    )


def read_access(path: Path) -> AccessPolicy:
    """A proposed access policy. Raises DomainError with every fault."""
    faults: list[Fault] = []
    read = _read(path, AccessFile, faults)
    if read is None:
        raise DomainError(faults)
    return read.policy()


def locate(name_or_path: str | Path) -> Path:
    """Find the directory: a path that exists, else a shipped name. Raises DomainError with the choices."""
    for candidate in (Path(name_or_path), SHIPPED / name_or_path):
        if (candidate / "domain.toml").is_file():
            return candidate
    shipped = ", ".join(sorted(path.parent.name for path in SHIPPED.glob("*/domain.toml")))
    raise DomainError([Fault(str(name_or_path), "", f"is no directory with a domain.toml, nor one of: {shipped}")])


File = TypeVar("File", bound=Table)
Displays = Mapping[Code, Mapping[str, str]]


def _read(path: Path, shape: type[File], faults: list[Fault]) -> File | None:
    name = f"{path.parent.name}/{path.name}" if path.parent.name in ("codes", "partners") else path.name
    try:
        return shape.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        faults.append(Fault(name, "", f"cannot be read: {error.strerror}"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(name, "", f"is not TOML in UTF-8: {error}"))
    except ValidationError as error:
        faults += [Fault(name, _key(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    return None


def _read_if_there(path: Path, shape: type[File], faults: list[Fault]) -> File | None:
    return _read(path, shape, faults) if path.exists() else shape()


def _read_repositories(path: Path, faults: list[Fault]) -> tuple[Repository, ...]:
    written = _read_if_there(path, RepositoriesFile, faults)
    if written is None:
        return ()
    faults += repeated_repositories(written)
    return tuple(Repository(name=each.name, wire=each.wire) for each in written.repository)


def _read_matching(directory: Path, faults: list[Fault]) -> MatchingFiles | None:
    try:
        return read_matching(directory)
    except WrongMatching as error:
        faults += [Fault(error.file, "", rule) for rule in error.rules]
        return None


def _read_partners(directory: Path, faults: list[Fault]) -> dict[str, PartnerFile]:
    files = {path.stem: _read(path, PartnerFile, faults) for path in sorted(directory.glob("*.toml"))}
    found = {name: written for name, written in files.items() if written is not None}
    faults += contradictions(found)
    return found


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location)


def _read_codes(directory: Path, faults: list[Fault]) -> Mapping[str, Displays]:
    found: dict[str, Displays] = {}
    for path in sorted(directory.glob("*.toml")):
        if path.stem not in CODED_ATTRIBUTES:
            faults.append(Fault(f"codes/{path.name}", "", f"is named after none of: {', '.join(CODED_ATTRIBUTES)}"))
        elif content := _read(path, CodesFile, faults):
            faults += scheme_faults(path.stem, content)
            found[path.stem] = MappingProxyType(dict(_codes(content)))
    return MappingProxyType(found)


def _codes(content: CodesFile) -> Iterator[tuple[Code, Mapping[str, str]]]:
    for scheme in content.scheme:
        for code, display in scheme.codes.items():
            names = {"en": display} if isinstance(display, str) else display
            yield (
                Code(code, scheme.oid or "", names.get("en") or next(iter(names.values()), code)),
                MappingProxyType(names),
            )


def _assemble(
    main: DomainFile,
    authorities: AuthoritiesFile,
    organizations: OrganizationsFile,
    codes: Mapping[str, Displays],
    matching: MatchingFiles,
) -> LoadedDomain:
    partners = tuple(map(_organization, organizations.organization))
    known = {each.facility: each for each in partners}
    return LoadedDomain(
        affinity_domain=AffinityDomain(
            **main.domain.model_dump(exclude={"display"}),
            assigning_authorities=tuple(_authority(each, known) for each in authorities.authority),
            codes=MappingProxyType({attribute: frozenset(displays) for attribute, displays in codes.items()}),
        ),
        policy=DomainPolicy(**main.policy.model_dump()),
        organizations=partners,
        display=MappingProxyType(main.domain.display),
        code_display=codes,
        matching=matching,
    )


def _authority(written: AuthorityTable, organizations: Mapping[str, Organization]) -> AssigningAuthority:
    senders: list[str] = []
    for source in written.sources:
        senders += ["*"] if source == "*" else organizations[source].senders()
    plain = written.model_dump(exclude={"sources", "aliases", "display"})
    return AssigningAuthority(
        **plain,
        sources=tuple(senders),
        aliases=tuple(HD(*each.split("&")) for each in written.aliases),
        display=MappingProxyType(written.display),
    )


def _organization(written: OrganizationTable) -> Organization:
    applications = tuple(Application(**each.model_dump()) for each in written.applications)
    plain = written.model_dump(include={"facility", "oid", "kind"})
    return Organization(**plain, applications=applications, display=MappingProxyType(written.display))


def _subscribers(written: SubscribersFile, authorities: AuthoritiesFile) -> Iterator[Subscriber]:
    oids = {each.namespace_id: each.oid for each in authorities.authority}
    for each in written.subscriber:
        named = each.model_dump(include={"application", "facility", "device"}, exclude_none=True)
        yield Subscriber(name=each.name, wire=each.wire, domains=frozenset(oids[one] for one in each.domains), **named)
