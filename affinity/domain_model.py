"""A domain as its files describe it: what of it is no matter of documents and ids alone (``ihe.domain``)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from affinity.matching_files import MatchingFiles
from affinity.partners import Agreement, Partners
from affinity.record_file import RecordRules
from consent.policy import Policy as AccessPolicy
from hl7v2.encoding import Charset
from ihe.datatypes import Code
from ihe.domain import AffinityDomain
from mllp.validation import Policy
from pix.golden import Survivorship
from pix.update_notifications import Subscription
from xua.authentication import XUAMode
from xua.profile_files import shipped
from xua.profiles import TokenProfile


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
