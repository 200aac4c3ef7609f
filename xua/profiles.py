"""Token profiles: what one kind of X-User Assertion holds, as data (``xua/profiles/*.toml``).

National extensions of ITI TF-2: 3.40 contradict each other: names of attributes, how a value is written, what must be
there. A new one is a TOML file, not code; its keys are those of the classes here, and ``extends``, which names a
shipped profile that it changes.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ihe.exchange import Principal
from xua.names import BEARER, HOLDER_OF_KEY
from xua.readings import READINGS

SHIPPED = Path(__file__).resolve().parent / "profiles"
CLAIMS = frozenset(each.name for each in fields(Principal)) - {
    "issuer",
    "assertion_id",
    "name_id",
    "alias",
    "patient_bound",
}
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


Part = TypeVar("Part")


def parse(text: str, name: str) -> TokenProfile:
    """Read one profile. ValueError says which table and key is wrong."""
    try:
        return _profile(_extended(tomllib.loads(text)), name)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: is not TOML: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, TokenProfile]:
    """The profiles that come with Affinity, by their names."""
    files = sorted(SHIPPED.glob("*.toml"))
    return MappingProxyType({file.stem: parse(file.read_text(encoding="utf-8"), file.stem) for file in files})


def _extended(written: dict[str, Any]) -> dict[str, Any]:
    """The shipped profile that this one extends, with what it says in its place; attributes go by their names."""
    if "extends" not in written:
        return written
    file = SHIPPED / f"{written.pop('extends')}.toml"
    if file.parent != SHIPPED or not file.is_file():
        raise ValueError(f"extends: {file.stem!r} is no shipped profile")
    base = _extended(tomllib.loads(file.read_text(encoding="utf-8")))
    attributes = {each.get("name"): each for key in (base, written) for each in _tables(key, "attribute")}
    rules = [*_tables(base, "rule"), *_tables(written, "rule")]
    tables = {key: {**base.get(key, {}), **written.get(key, {})} for key in ("subject", "conditions", "signer")}
    return {**base, **written, **tables, "attribute": list(attributes.values()), "rule": rules}


def _profile(written: dict[str, Any], name: str) -> TokenProfile:
    attributes = tuple(_attribute(each) for each in _tables(written, "attribute"))
    rules = tuple(_part(ConditionalRule, each, "rule") for each in _tables(written, "rule"))
    _refuse_inconsistent(attributes, rules)
    subject = written.pop("subject", {})
    methods = subject.get("confirmation_methods", list(METHODS))
    if not methods or not set(methods) <= set(METHODS):
        raise ValueError(f"subject.confirmation_methods: must be some of {sorted(METHODS)}")
    return _part(
        TokenProfile,
        {
            **written,
            "name": name,
            "attributes": attributes,
            "rules": rules,
            "subject": _part(
                SubjectRule, {**subject, "confirmation_methods": [METHODS[each] for each in methods]}, "subject"
            ),
            "conditions": _conditions(written.pop("conditions", {})),
            "signer": _part(SignerRule, written.pop("signer", {}), "signer"),
        },
        "profile",
    )


def _conditions(written: dict[str, Any]) -> ConditionsRule:
    rule = _part(ConditionsRule, written, "conditions")
    if not rule.period_required and rule.lifetime_minutes is None:
        raise ValueError("conditions.lifetime_minutes: a token without end cannot be taken back; say how long it lasts")
    if not rule.audience_required and rule.audience_attribute is None:
        raise ValueError("conditions.audience_attribute: say which attribute names the service instead")
    return rule


def _attribute(written: dict[str, Any]) -> AttributeRule:
    rule = _part(AttributeRule, written, "attribute")
    where = f"attribute {rule.name}"
    if rule.claim is not None and rule.claim not in CLAIMS:
        raise ValueError(f"{where}: claim must be one of {sorted(CLAIMS)}")
    if rule.read not in READINGS:
        raise ValueError(f"{where}: read must be one of {sorted(READINGS)}")
    if (rule.read == "ce") != (rule.element is not None):
        raise ValueError(f"{where}: element belongs to read = 'ce', and is needed there")
    if (rule.read == "code") != (rule.code_system is not None):
        raise ValueError(f"{where}: code_system belongs to read = 'code', and is needed there")
    if rule.claim is not None and rule.repeatable != (rule.claim in REPEATED) and not _may_narrow(rule):
        raise ValueError(f"{where}: {rule.claim} holds one value; it cannot be repeatable")
    return rule


REPEATED = frozenset(each.name for each in fields(Principal) if str(each.type).startswith("tuple"))
"""The fields of a Principal that hold several values."""


def _may_narrow(rule: AttributeRule) -> bool:
    """A field of several values may be held to one."""
    return rule.claim in REPEATED and not rule.repeatable


def _refuse_inconsistent(attributes: tuple[AttributeRule, ...], rules: tuple[ConditionalRule, ...]) -> None:
    names = [rule.name for rule in attributes]
    claims = [rule.claim for rule in attributes if rule.claim is not None]
    for twice in (set(each for each in listed if listed.count(each) > 1) for listed in (names, claims)):
        if twice:
            raise ValueError(f"attribute: {sorted(twice)} stand twice")
    for rule in rules:
        unknown = {rule.when, *rule.requires} - set(names)
        if unknown:
            raise ValueError(f"rule: {sorted(unknown)} are no attributes of this profile")


def _tables(written: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = written.pop(key, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ValueError(f"{key}: is written as [[{key}]] tables")
    return tables


_KINDS: Mapping[str, type] = MappingProxyType({"str": str, "str | None": str, "bool": bool, "int | None": int})


def _part(kind: type[Part], written: dict[str, Any], where: str) -> Part:
    """Make a value of a table: no unknown key, every key of its type, lists of texts as sets."""
    types = {each.name: str(getattr(each.type, "__name__", each.type)) for each in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(written) - set(types))
    if unknown:
        raise ValueError(f"{where}: {unknown} are no keys here; known are {sorted(types)}")
    values = {key: _value(value, types[key], f"{where}.{key}") for key, value in written.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {str(error).partition(') ')[2] or error}") from error


def _value(value: Any, kind: str, where: str) -> Any:
    if kind.startswith("frozenset"):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{where}: must be a list of texts")
        return frozenset(value)
    wanted = _KINDS.get(kind)
    if wanted is not None and type(value) is not wanted:
        raise ValueError(f"{where}: must be {wanted.__name__}")
    return value
