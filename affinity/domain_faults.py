"""What is wrong between the files of a domain directory: names that nobody has, and names that stand twice."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from affinity.domain_files import (
    AuthoritiesFile,
    CodesFile,
    OrganizationsFile,
    RepositoriesFile,
    SubscribersFile,
)
from affinity.golden_file import GoldenFile

WITHOUT_SCHEME = ("mimeType", "languageCode")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a domain directory: the file, the key in it, and the rule that it breaks."""

    file: str
    key: str
    rule: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.rule}" if self.key else f"{self.file}: {self.rule}"


def scheme_faults(attribute: str, content: CodesFile) -> Iterator[Fault]:
    """The codes of one attribute that lack a scheme or a name, and schemes that stand twice."""
    for number, scheme in enumerate(content.scheme, 1):
        if (scheme.oid is None) != (attribute in WITHOUT_SCHEME):
            rule = (
                "must be absent: this attribute has no coding scheme" if scheme.oid else "every code needs its scheme"
            )
            yield Fault(f"codes/{attribute}.toml", f"scheme.{number}.oid", rule)
        for code, display in scheme.codes.items():
            if not display:
                yield Fault(f"codes/{attribute}.toml", f"scheme.{number}.codes.{code}", "needs a display name")
    for oid in _repeated(scheme.oid for scheme in content.scheme):
        yield Fault(f"codes/{attribute}.toml", "scheme", f"{oid} stands twice")


def inconsistencies(authorities: AuthoritiesFile, organizations: OrganizationsFile) -> Iterator[Fault]:
    """Sources that are no facility, ids that could not be registered, names that stand twice."""
    facilities = {each.facility for each in organizations.organization}
    for number, authority in enumerate(authorities.authority, 1):
        for source in authority.sources:
            if source != "*" and source not in facilities:
                rule = f'{source} is no facility of organizations.toml, nor "*"'
                yield Fault("authorities.toml", f"authority.{number}.sources", rule)
    if not any(each.issues_xds_ids for each in authorities.authority):
        yield Fault(
            "authorities.toml", "issues_xds_ids", "no authority issues XDS patient ids: nothing could be registered"
        )
    for key in ("namespace_id", "oid"):
        for value in _repeated(getattr(each, key) for each in authorities.authority):
            yield Fault("authorities.toml", f"authority.{key}", f"{value} stands twice")
    for value in _repeated(alias for each in authorities.authority for alias in each.aliases):
        yield Fault("authorities.toml", "authority.aliases", f"{value} stands twice")
    for key in ("facility", "oid"):
        for value in _repeated(getattr(each, key) for each in organizations.organization):
            yield Fault("organizations.toml", f"organization.{key}", f"{value} stands twice")


def repeated_repositories(repositories: RepositoriesFile) -> Iterator[Fault]:
    """Audit Record Repositories that stand twice: how far the trail came is remembered by name."""
    for name in _repeated(each.name for each in repositories.repository):
        yield Fault("repositories.toml", "repository.name", f"{name} stands twice")


def unknown_trust(organizations: OrganizationsFile, golden: GoldenFile) -> Iterator[Fault]:
    """Facilities of golden.toml that the domain does not have."""
    for each in golden.unknown(one.facility for one in organizations.organization):
        yield Fault("golden.toml", "trusted", f"{each} is no facility of organizations.toml")


def unknown_interests(authorities: AuthoritiesFile, subscribers: SubscribersFile) -> Iterator[Fault]:
    """Authorities of subscribers.toml that the domain does not have, and subscribers that stand twice."""
    known = {each.namespace_id for each in authorities.authority}
    for number, subscriber in enumerate(subscribers.subscriber, 1):
        for domain in subscriber.domains:
            if domain not in known:
                rule = f"{domain} is no namespace_id of authorities.toml"
                yield Fault("subscribers.toml", f"subscriber.{number}.domains", rule)
    for name in _repeated(each.name for each in subscribers.subscriber):
        yield Fault("subscribers.toml", "subscriber.name", f"{name} stands twice")


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
