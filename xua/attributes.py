"""From the Attributes of an assertion to claims, as the token profile reads them (ITI TF-2: 3.40.4.1.2)."""

from collections.abc import Iterable
from typing import Any

from lxml.etree import _Element

from ihe.datatypes import Code
from xua.names import clark
from xua.profiles import AttributeRule, TokenProfile
from xua.readings import READINGS

NIL = clark("xsi:nil")


def read_claims(attributes: Iterable[_Element], profile: TokenProfile) -> dict[str, Any]:
    """Read the claims of all Attribute elements, of whichever statement: repetition at both levels means the same.

    ValueError names the attribute that is missing, malformed, or has several values where one is meant: which of them
    counts is not ours to choose. Attributes that the profile does not list are passed over.
    """
    values = _gathered(attributes, profile)
    _refuse_missing(values, profile)
    return {
        rule.claim: found if rule.repeatable else found[0]
        for rule in profile.attributes
        if rule.claim is not None and (found := values.get(rule.name))
    }


def _gathered(attributes: Iterable[_Element], profile: TokenProfile) -> dict[str, tuple[Any, ...]]:
    """The values of every listed attribute that is there at all, by its name."""
    values: dict[str, tuple[Any, ...]] = {}
    for attribute in attributes:
        rule = profile.by_name.get(attribute.get("Name", ""))
        if rule is not None:
            values[rule.name] = values.get(rule.name, ()) + _read(attribute, rule)
            if len(values[rule.name]) > 1 and not rule.repeatable:
                raise ValueError(f"{rule.name} has not exactly one value")
    return values


def _read(attribute: _Element, rule: AttributeRule) -> tuple[Any, ...]:
    read = READINGS[rule.read]
    try:
        values = tuple(read(value, rule) for value in attribute if not _is_nil(value))
        for value in values:
            _refuse_unlisted(value, rule)
    except ValueError as error:
        raise ValueError(f"{rule.name}: {error}") from error
    return values


def _is_nil(value: _Element) -> bool:
    return value.get(NIL) in ("true", "1") and not len(value) and not (value.text or "").strip()


def _refuse_unlisted(value: Any, rule: AttributeRule) -> None:
    """The values, or the codes and code systems, to which the profile holds the attribute."""
    if isinstance(value, Code):
        if rule.code_systems and value.scheme not in rule.code_systems:
            raise ValueError(f"the code system {value.scheme} is none of {sorted(rule.code_systems)}")
        value = value.code
    if rule.values and value not in rule.values:
        raise ValueError(f"the value is none of {sorted(rule.values)}")


def _refuse_missing(values: dict[str, tuple[Any, ...]], profile: TokenProfile) -> None:
    missing = sorted(
        rule.name
        for rule in profile.attributes
        if rule.required and not (values.get(rule.name) or (rule.may_be_empty and rule.name in values))
    )
    if missing:
        raise ValueError(f"{profile.title} demands the attributes {missing}")
    for rule in profile.rules:
        if any(isinstance(value, Code) and value.code in rule.codes for value in values.get(rule.when, ())):
            absent = sorted(name for name in rule.requires if not values.get(name))
            if absent:
                raise ValueError(f"{profile.title} demands the attributes {absent}: {rule.because}")
