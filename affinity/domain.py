"""An affinity domain as a directory of TOML files (ITI TF-1: Appendix L); ``domains/demo`` is one to copy.

``load`` takes the directory, or the name of a shipped one, and gives the checked domain or every fault at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from affinity import token_profiles
from affinity.access_file import AccessFile
from affinity.domain_faults import Fault, inconsistencies, unknown_interests, unknown_trust
from affinity.domain_files import (
    AuthoritiesFile,
    AuthorityTable,
    DomainFile,
    OrganizationsFile,
    OrganizationTable,
    SubscribersFile,
)
from affinity.domain_model import Application, DomainPolicy, LoadedDomain, Organization, Subscriber
from affinity.domain_reading import (
    Displays,
    read,
    read_codes,
    read_if_there,
    read_matching,
    read_partners,
    read_repositories,
)
from affinity.golden_file import GoldenFile
from affinity.matching_files import MatchingFiles
from affinity.partner_agreements import agreement, unknown_profiles
from affinity.record_file import RecordFile
from consent.policy import Policy as AccessPolicy
from ihe.datatypes import HD
from ihe.domain import AffinityDomain, AssigningAuthority

SHIPPED = Path(__file__).resolve().parent.parent / "domains"


class DomainError(Exception):
    """A domain directory that cannot be used, with every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def load(name_or_path: str | Path) -> LoadedDomain:
    """Read and check a domain directory, or a shipped domain by its name. Raises DomainError with every fault."""
    directory = locate(name_or_path)
    faults: list[Fault] = []
    main = read(directory / "domain.toml", DomainFile, faults)
    authorities = read(directory / "authorities.toml", AuthoritiesFile, faults)
    organizations = read(directory / "organizations.toml", OrganizationsFile, faults)
    subscribers = read_if_there(directory / "subscribers.toml", SubscribersFile, faults)
    repositories = read_repositories(directory / "repositories.toml", faults)
    golden = read_if_there(directory / "golden.toml", GoldenFile, faults)
    record = read(path, RecordFile, faults) if (path := directory / "record.toml").exists() else None
    access = read_if_there(directory / "access.toml", AccessFile, faults)
    codes = read_codes(directory / "codes", faults)
    matching = read_matching(directory, faults)
    tokens = token_profiles.read(directory, faults)
    partners = read_partners(directory / "partners", faults)
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
    written = read(path, AccessFile, faults)
    if written is None:
        raise DomainError(faults)
    return written.policy()


def locate(name_or_path: str | Path) -> Path:
    """Find the directory: a path that exists, else a shipped name. Raises DomainError with the choices."""
    for candidate in (Path(name_or_path), SHIPPED / name_or_path):
        if (candidate / "domain.toml").is_file():
            return candidate
    shipped = ", ".join(sorted(path.parent.name for path in SHIPPED.glob("*/domain.toml")))
    raise DomainError([Fault(str(name_or_path), "", f"is no directory with a domain.toml, nor one of: {shipped}")])


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
