"""From the files of ``partners/`` to agreements, and what is wrong between them."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from affinity.domain_faults import Fault
from affinity.partner_files import ANY, CertificateTable, PartnerFile
from affinity.partners import Agreement, Allowance, CertifiedName, Fingerprint, Proxy, SourceId, SourceKind
from ihe.partners import Partner

Files = Mapping[str, PartnerFile]
"""The partners' files by the partners' names."""


def agreement(name: str, written: PartnerFile) -> Agreement:
    """What one file says."""
    everything = ANY in written.transactions
    return Agreement(
        partner=Partner(
            name=name,
            validation=written.validation,
            quirks=MappingProxyType({each.name: each.until for each in written.quirk}),
        ),
        fingerprints=frozenset(Fingerprint(each.sha256) for each in written.certificate if each.sha256),
        names=tuple(_name(each) for each in written.certificate if each.authority),
        sources=None if written.sources.anybody else frozenset(_sources(written)),
        transactions=None if everything else frozenset(written.transactions),
        issuers=frozenset(written.xua.issuers),
        token_profile=written.xua.profile,
        allowance=_allowance(written),
        proxy=Proxy(**written.proxy.model_dump()) if written.proxy else None,
        monitoring=written.monitoring,
        display=MappingProxyType(written.display),
    )


def contradictions(files: Files) -> Iterator[Fault]:
    """What two partners claim, and what one file says twice or in vain."""
    yield from _claimed_twice(files, "certificate", _certificates)
    yield from _claimed_twice(files, "sources", lambda file: (f"{each.kind} {each.value}" for each in _sources(file)))
    for name, written in files.items():
        yield from _own_faults(f"partners/{name}.toml", written)


def unknown_profiles(files: Files, known: Collection[str]) -> Iterator[Fault]:
    """Token profiles that partners name and the domain does not have."""
    for name, written in files.items():
        profile = written.xua.profile
        if profile is not None and profile not in known:
            rule = f"{profile} is no token profile; there are {', '.join(sorted(known))}"
            yield Fault(f"partners/{name}.toml", "xua.profile", rule)


def _own_faults(file: str, written: PartnerFile) -> Iterator[Fault]:
    if written.sources.anybody and any(_sources(written)):
        yield Fault(file, "sources.anybody", "speaks as anybody, so the ids beside it say nothing: leave out one")
    if written.proxy and not written.certificate:
        yield Fault(file, "proxy", "a proxy is believed for its own certificate alone: give it one")
    if written.proxy and written.transactions:
        rule = "a proxy asks for nothing itself: else who shows it no certificate would ask in its name; leave it empty"
        yield Fault(file, "transactions", rule)
    if ANY in written.transactions and len(written.transactions) > 1:
        yield Fault(file, "transactions", '"*" means all: leave out the others')
    names = [each.name for each in written.quirk]
    for each in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(file, "quirk", f"{each} stands twice")


def _claimed_twice(files: Files, key: str, claims: Any) -> Iterator[Fault]:
    claimed: dict[str, str] = {}
    for name, written in files.items():
        for claim in claims(written):
            if claim in claimed:
                first = claimed[claim]
                rule = "stands twice" if first == name else f"is claimed by partners/{first}.toml, too"
                yield Fault(f"partners/{name}.toml", key, f"{claim} {rule}")
            claimed.setdefault(claim, name)


def _certificates(written: PartnerFile) -> Iterator[str]:
    for each in written.certificate:
        yield each.sha256 or " ".join(filter(None, (each.subject, each.san, "of", each.authority)))


def _sources(written: PartnerFile) -> Iterator[SourceId]:
    for kind in SourceKind:
        yield from (SourceId(kind, each) for each in getattr(written.sources, kind))


def _name(written: CertificateTable) -> CertifiedName:
    return CertifiedName(authority=written.authority or "", subject=written.subject, san=written.san)


def _allowance(written: PartnerFile) -> Allowance:
    limits = written.limits
    rate = limits.requests_per_second
    burst = limits.burst or max(1, round(rate or 1))
    return Allowance(requests_per_second=rate, burst=burst, connections=limits.connections)
