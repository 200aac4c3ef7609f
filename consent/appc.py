"""Privacy Consent Document of APPC: a patient's XACML 2.0 policy set (ITI Suppl. APPC: 5.6.2)."""

from collections.abc import Iterator
from itertools import islice, product

from lxml.etree import QName, _Element

from consent.appc_conditions import access, conditions, patient, period
from consent.statements import EVERY_ACCESS, ConsentDocument, Effect, PolicyId, Statement, unsupported
from consent.xacml import APPC, POLICY, Findings, Target, check_attributes, children, target, words
from ihe.datatypes import CX
from ihe.errors import Rejected
from ihe.identifiers import is_uuid_urn
from soap.xml import XMLLimits, XMLRefused, parse

LIMITS = XMLLimits(size=1024 * 1024, depth=32, attributes=32, tags=20_000)
MOST_STATEMENTS = 500
"""Alternatives of subjects, resources, actions and environments multiply; a consent of more is nobody's."""
DENY_OVERRIDES = tuple(
    f"urn:oasis:names:tc:xacml:{version}:{kind}-combining-algorithm:{order}deny-overrides"
    for kind in ("policy", "rule")
    for version, order in (("1.0", ""), ("1.1", "ordered-"))
)
PERMIT, DENY = "Permit", "Deny"


def read(data: bytes) -> ConsentDocument:
    """Read a consent, or raise Rejected with every part of it that cannot be kept to."""
    try:
        root = parse(data, LIMITS)
    except XMLRefused as refused:
        raise Rejected(unsupported(f"A consent is well-formed XML: {refused}", "/", APPC)) from None
    findings = Findings()
    if root.tag != f"{{{POLICY}}}PolicySet":
        findings.refuse(root, "The root of a Privacy Consent Document is one XACML 2.0 PolicySet", str(root.tag))
        raise Rejected(*findings.breaches)
    document = _document(root, findings)
    if findings.breaches:
        raise Rejected(*findings.breaches)
    return document


def _document(root: _Element, findings: Findings) -> ConsentDocument:
    identifier = root.get("PolicySetId", "").strip()
    if not is_uuid_urn(identifier.lower()):
        findings.refuse(root, "The root policy set's id is a UUID as URN (5.6.2.1.1)", identifier)
    statements = tuple(islice(_statements(root, Target(), findings), 4 * MOST_STATEMENTS))
    if len(statements) == 4 * MOST_STATEMENTS:
        findings.refuse(root, f"A consent has fewer than {4 * MOST_STATEMENTS} rules and combinations of alternatives")
    if not statements and not findings.breaches:
        findings.refuse(root, "A consent has at least one rule or reference")
    return ConsentDocument(
        id=identifier,
        patients=_patients(root, _own_target(root, Target(), Findings()), findings),
        statements=statements,
        description=" ".join((root.findtext(f"{{{POLICY}}}Description") or "").split()),
    )


def _patients(root: _Element, whole: Target, findings: Findings) -> tuple[CX, ...]:
    """The ids of the one patient; every alternative of the root's target names one (5.6.2.1.1)."""
    if not all(any(map(patient, each)) for each in whole.resources):
        findings.refuse(root, "The target of the root names the patient in each of its resources (5.6.2.1.1)")
    # A rule deeper down may name the patient again, but nobody else: whoever applies this checks every id.
    inner = (target(each, Findings()) for each in root.iter(f"{{{POLICY}}}Target"))
    named = (patient(match) for one in inner for each in one.resources for match in each)
    return tuple(dict.fromkeys(each for each in named if each))


def _statements(element: _Element, outer: Target, findings: Findings) -> Iterator[Statement]:
    """The rules of a PolicySet, and of those within it, each with all its targets."""
    check_attributes(element, ("PolicySetId", "PolicyCombiningAlgId", "Version"), findings)
    _check_algorithm(element, "PolicyCombiningAlgId", findings)
    own = _own_target(element, outer, findings)
    parts = ("Description", "Target", "PolicySet", "Policy", "PolicySetIdReference", "PolicyIdReference")
    for child in children(element, parts, findings):
        match _name(child):
            case "PolicySet":
                yield from _statements(child, own, findings)
            case "Policy":
                yield from _rules(child, own, findings)
            case "PolicySetIdReference" | "PolicyIdReference":
                check_attributes(child, (), findings)
                yield from _spread(child, PolicyId(words(child)), own, findings)


def _rules(element: _Element, outer: Target, findings: Findings) -> Iterator[Statement]:
    check_attributes(element, ("PolicyId", "RuleCombiningAlgId", "Version"), findings)
    _check_algorithm(element, "RuleCombiningAlgId", findings)
    own = _own_target(element, outer, findings)
    for rule in children(element, ("Description", "Target", "Rule"), findings):
        if _name(rule) != "Rule":
            continue
        check_attributes(rule, ("RuleId", "Effect"), findings)
        for _ in children(rule, ("Description", "Target"), findings):
            pass
        if rule.get("Effect") not in (PERMIT, DENY):
            findings.refuse(rule, "The effect of a rule is Permit or Deny", rule.get("Effect"))
            continue
        effect = Effect.PERMIT if rule.get("Effect") == PERMIT else Effect.DENY
        yield from _spread(rule, effect, _own_target(rule, own, findings), findings)


def _spread(element: _Element, rule: Effect | PolicyId, whole: Target, findings: Findings) -> Iterator[Statement]:
    """One statement for each combination of alternatives; actions are sets, and stay together."""
    told = {Effect.PERMIT: "permits", Effect.DENY: "denies"}[rule] if isinstance(rule, Effect) else "refers to a policy"
    named = EVERY_ACCESS if whole.actions == ((),) else access(whole.actions, told, element, findings)
    for subjects, resources, times in product(whole.subjects, whole.resources, whole.environments):
        yield Statement(
            rule=rule,
            conditions=conditions(subjects + resources, findings),
            access=named,
            period=period(times, findings),
        )


def _own_target(element: _Element, outer: Target, findings: Findings) -> Target:
    """The target together with those around it; checked before it is multiplied out, for nesting multiplies it."""
    own = element.find(f"{{{POLICY}}}Target")
    if own is None:
        return outer
    read = target(own, findings)
    if read.alternatives * outer.alternatives > MOST_STATEMENTS:
        findings.refuse(element, f"A rule has at most {MOST_STATEMENTS} combinations of its alternatives")
        return outer
    return read.within(outer)


def _check_algorithm(element: _Element, name: str, findings: Findings) -> None:
    """Other algorithms depend on the order of rules, or let a permission outweigh a denial."""
    if element.get(name, "").strip() not in DENY_OVERRIDES:
        findings.refuse(
            element, "Rules are combined so that a denial outweighs permissions", element.get(name), DENY_OVERRIDES[0]
        )


def _name(element: _Element) -> str:
    return str(QName(element).localname)
