"""From a FHIR R4 Consent to statements (FHIR R4: 6.2). What cannot be kept to is refused with its path."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from pydantic import ValidationError

from consent import fhir_shapes as shapes
from consent.fhir_table import ACTIONS, ACTORS, CODINGS, CONSENT_ACTION, R4, SCOPE, named_by, scheme_of, unique_id_of
from consent.fhir_times import span
from consent.statements import (
    ALWAYS,
    EVERY_ACCESS,
    Access,
    Attribute,
    Condition,
    ConsentDocument,
    Effect,
    InstanceIdentifier,
    Period,
    PolicyId,
    Statement,
    unsupported,
)
from ihe import storable_json
from ihe.datatypes import Code
from ihe.errors import Breach, Rejected
from soap.xml import XMLRefused, parse

LARGEST = 1024 * 1024
MOST_STATEMENTS = 500
FIELDS = {"class": "class_", "securityLabel": "security_label"}
"""Elements whose name in Python is another."""
BY_TYPE = {type_: attribute for attribute, type_ in ACTORS.items()}


class Unreadable(ValueError):
    """A part that is well-formed and cannot be kept to, with its path."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


def read(data: bytes) -> ConsentDocument:
    """Read a Consent, or raise Rejected with what is wrong or not understood."""
    try:
        return _document(shapes.Consent.model_validate(_json(data)))
    except ValidationError as error:
        raise Rejected(*map(_breach, error.errors())) from None
    except Unreadable as error:
        raise Rejected(unsupported(str(error), error.path, R4)) from None


def _json(data: bytes) -> Any:
    if len(data) > LARGEST:
        raise Unreadable("Consent", f"A Consent has at most {LARGEST} bytes")
    try:
        return storable_json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("Consent", "A Consent is JSON in UTF-8, whose texts can be stored") from None


def _breach(error: Any) -> Breach:
    path = ".".join(["Consent", *map(str, error["loc"])])
    return unsupported(f"This element is understood as FHIR defines it: {error['msg']}", path, R4)


def _document(resource: shapes.Consent) -> ConsentDocument:
    scope = resource.scope.coding[0]
    if (scope.system, scope.code) != SCOPE:
        raise Unreadable("Consent.scope", f"The scope of a consent to sharing is {SCOPE[1]}")
    period = _period(resource.provision.period, "Consent.provision.period") if resource.provision else ALWAYS
    statements = [Statement(rule=each, period=period) for each in _policies(resource)]
    if resource.provision:
        statements += _provision(resource.provision, period)
    if not statements:
        raise Unreadable("Consent.provision", "A consent has a policy or a provision")
    patient = _reference(resource.patient, "Consent.patient")
    if not isinstance(patient, InstanceIdentifier) or not patient.extension:
        raise Unreadable("Consent.patient", "A patient is named by the OID of an assigning authority and an id")
    return ConsentDocument(
        id=resource.identifier[0].value if resource.identifier else "",
        patients=(patient.cx,),
        statements=tuple(statements),
        description=_text(resource.text),
        written=_span(resource.date_time, "Consent.dateTime")[0] if resource.date_time else None,
    )


def _policies(resource: shapes.Consent) -> Iterator[PolicyId]:
    for each in resource.policy:
        yield PolicyId(each.uri, scheme_of(each.authority or ""))
    if resource.policy_rule:
        coding = resource.policy_rule.coding[0]
        yield PolicyId(coding.code, coding.system)


def _provision(root: shapes.Provision, period: Period) -> Iterator[Statement]:
    """The root's own rule, if it has one, and the rules below it, each within what the root asks."""
    path = "Consent.provision"
    around = list(_rule(root, Effect.PERMIT, path))
    if root.type:
        yield from _rule(root, Effect(root.type), path)
    for number, each in enumerate(root.provision):
        where = f"{path}.provision.{number}"
        if each.type is None:
            raise Unreadable(f"{where}.type", "A nested provision permits or denies")
        if root.type == "deny":
            raise Unreadable(where, "A denial has no exceptions here: nothing outweighs it")
        if root.type and each.type == root.type:
            raise Unreadable(f"{where}.type", "An exception does the opposite of the provision around it")
        for inner, outer in product(_rule(each, Effect(each.type), where), around):
            yield outer.narrowed(inner)


def _rule(rule: shapes.Rule, effect: Effect, path: str) -> Iterator[Statement]:
    """One statement for each combination of the alternatives that the lists hold."""
    alternatives = list(_alternatives(rule, path))
    total = 1
    for each in alternatives:
        total *= len(each)
    if total > MOST_STATEMENTS:
        raise Unreadable(path, f"A provision has at most {MOST_STATEMENTS} combinations of its alternatives")
    access = frozenset(_access(rule, path)) if rule.action is not None else EVERY_ACCESS
    period = _period(rule.period, f"{path}.period")
    for conditions in product(*alternatives):
        yield Statement(rule=effect, conditions=frozenset(conditions), access=access, period=period)


def _alternatives(rule: shapes.Rule, path: str) -> Iterator[list[Condition]]:
    if rule.actor is not None:
        yield [_actor(each, f"{path}.actor") for each in rule.actor]
    for attribute, name in CODINGS.items():
        codings: Iterable[shapes.Coding] | None = getattr(rule, FIELDS.get(name, name))
        if codings is not None:
            yield [Condition(attribute, _code(each)) for each in codings]
    if rule.code is not None:
        yield [Condition(Attribute.TYPE_CODE, _code(each.coding[0])) for each in rule.code]
    if rule.data is not None:
        yield [_document_of(each, f"{path}.data") for each in rule.data]


def _code(coding: shapes.Coding) -> Code:
    return Code(coding.code, scheme_of(coding.system), coding.display or "")


def _actor(actor: shapes.Actor, path: str) -> Condition:
    attribute = BY_TYPE.get(actor.reference.type or "")
    if attribute is None:
        raise Unreadable(f"{path}.reference.type", "An actor is one of: " + ", ".join(sorted(BY_TYPE)))
    if attribute is not Attribute.ROLE:
        return Condition(attribute, _reference(actor.reference, path))
    identifier = actor.reference.identifier
    if not identifier.system:
        raise Unreadable(f"{path}.reference.identifier.system", "A role is a code and its system")
    return Condition(attribute, Code(identifier.value, scheme_of(identifier.system), actor.reference.display or ""))


def _document_of(data: shapes.Data, path: str) -> Condition:
    identifier = data.reference.identifier
    try:
        return Condition(Attribute.UNIQUE_ID, unique_id_of(identifier.system, identifier.value))
    except ValueError as error:
        raise Unreadable(f"{path}.reference.identifier", str(error)) from None


def _reference(reference: shapes.Reference, path: str) -> str | Code | InstanceIdentifier:
    try:
        return named_by(reference.identifier.system, reference.identifier.value)
    except ValueError as error:
        raise Unreadable(f"{path}.identifier", str(error)) from None


def _access(rule: shapes.Rule, path: str) -> Iterator[Access]:
    known = {(CONSENT_ACTION, code): act for act, code in ACTIONS.items()}
    for concept in rule.action or ():
        coding = concept.coding[0]
        if (coding.system, coding.code) not in known:
            raise Unreadable(f"{path}.action", "An action is one of: " + ", ".join(ACTIONS.values()))
        yield known[coding.system, coding.code]


def _period(period: shapes.Period | None, path: str) -> Period:
    if period is None:
        return ALWAYS
    start = _span(period.start, f"{path}.start")[0] if period.start else None
    return Period(start, _span(period.end, f"{path}.end")[1] if period.end else None)


def _span(text: str, path: str) -> Any:
    try:
        return span(text)
    except (ValueError, OverflowError) as error:
        raise Unreadable(path, str(error)) from None


def _text(narrative: shapes.Narrative | None) -> str:
    """The words of the narrative; what they mean is not looked at."""
    if narrative is None:
        return ""
    try:
        return " ".join("".join(map(str, parse(narrative.div.encode()).itertext())).split())
    except XMLRefused:
        raise Unreadable("Consent.text.div", "A narrative is XHTML") from None
