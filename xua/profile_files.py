"""The TOML files of token profiles: read, checked, and extended (``xua/profiles/*.toml``; docs/xua.md)."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from xua.profiles import (
    CLAIMS,
    METHODS,
    REPEATED,
    AttributeRule,
    ConditionalRule,
    ConditionsRule,
    SignerRule,
    SubjectRule,
    TokenProfile,
)
from xua.readings import READINGS

SHIPPED = Path(__file__).resolve().parent / "profiles"
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
