"""Token profiles: what one kind of X-User Assertion holds, as data (``xua/profiles/*.toml``).

National extensions of ITI TF-2: 3.40 contradict each other: names of attributes, how a value is written, what must be
there. A new one is a TOML file, not code; its keys are those of the classes here, and ``extends``, which names a
shipped profile that it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType

from ihe.exchange import Principal
from xua.names import BEARER, HOLDER_OF_KEY

CLAIMS = frozenset(each.name for each in fields(Principal)) - {
    "issuer",
    "assertion_id",
    "name_id",
    "alias",
    "patient_bound",
}
REPEATED = frozenset(each.name for each in fields(Principal) if str(each.type).startswith("tuple"))
"""The fields of a Principal that hold several values."""
METHODS = MappingProxyType({"bearer": BEARER, "holder-of-key": HOLDER_OF_KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """One SAML attribute: its ``name``, the field of the Principal that it becomes (None: it is only checked), how a
    value is read (``xua.readings``), and what it may be.

    ``element`` is the HL7 v3 element of a CE, ``code_system`` that of a bare code; ``values`` are the only texts or
    codes allowed, ``code_systems`` the only code systems. ``may_be_empty``: required, but perhaps without a value.
    """

    name: str
    claim: str | None = None
    read: str = "text"
    required: bool = False
    repeatable: bool = False
    may_be_empty: bool = False
    element: str | None = None
    code_system: str | None = None
    values: frozenset[str] = frozenset()
    code_systems: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalRule:
    """Where the attribute ``when`` holds one of ``codes``, the attributes in ``requires`` have a value, ``because``."""

    when: str
    codes: frozenset[str]
    requires: frozenset[str]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRule:
    """Who is named and who may present it. No ``name_id_formats`` or ``name_qualifiers``: any.

    ``confirmation_required`` False admits a Subject without SubjectConfirmation, which IHE forbids.
    """

    name_id_formats: frozenset[str] = frozenset()
    name_qualifiers: frozenset[str] = frozenset()
    confirmation_methods: frozenset[str] = frozenset((BEARER, HOLDER_OF_KEY))
    confirmation_required: bool = True
    authn_contexts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsRule:
    """For how long and for whom. ``lifetime_minutes`` is the longest validity; where NotOnOrAfter may be absent, the
    assertion ends so long after its IssueInstant.

    ``audience_attribute`` names us where the profile has no AudienceRestriction.
    """

    period_required: bool = True
    lifetime_minutes: int | None = None
    audience_required: bool = True
    audience_attribute: str | None = None

    @property
    def lifetime(self) -> timedelta | None:
        """The longest validity; None: as the issuer likes."""
        return None if self.lifetime_minutes is None else timedelta(minutes=self.lifetime_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRule:
    """What a signing certificate must show where its issuer is trusted by an authority: one of these extended key
    usages (OIDs), and these parts of its subject (``OU=STS``)."""

    extended_key_usages: frozenset[str] = frozenset()
    subject: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class TokenProfile:
    """One kind of token. ``patient_bound``: a resource-id allows requests about that patient alone."""

    name: str
    title: str
    source: str
    attributes: tuple[AttributeRule, ...]
    rules: tuple[ConditionalRule, ...] = ()
    subject: SubjectRule = field(default_factory=SubjectRule)
    conditions: ConditionsRule = field(default_factory=ConditionsRule)
    signer: SignerRule = field(default_factory=SignerRule)
    patient_bound: bool = True

    @cached_property
    def by_name(self) -> Mapping[str, AttributeRule]:
        """The attributes by their SAML name."""
        return MappingProxyType({rule.name: rule for rule in self.attributes})

    @cached_property
    def by_claim(self) -> Mapping[str, AttributeRule]:
        """The attributes that become claims, by the field of the Principal."""
        return MappingProxyType({rule.claim: rule for rule in self.attributes if rule.claim is not None})
