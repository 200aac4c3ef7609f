"""Flattening a policy set changes nothing of what it permits: compared with XACML's own recursive evaluation.

XACML 2.0, sections 7.5 to 7.11 and C.1: a rule applies where its target and those around it match; a denial overrides.
"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from consent import appc
from consent.statements import Attribute, Condition, Effect, Statement
from ihe.datatypes import Code

ORGANIZATIONS, CLASSES = ("urn:oid:2.999.1", "urn:oid:2.999.2"), ("A", "B")
SCHEME = "1.2.3"
EQUAL = "urn:oasis:names:tc:xacml:1.0:function:anyURI-equal"
URI = "http://www.w3.org/2001/XMLSchema#anyURI"
PATIENT = (
    '<ResourceMatch MatchId="urn:hl7-org:v3:function:II-equal"><AttributeValue DataType="urn:hl7-org:v3#II">'
    '<hl7:InstanceIdentifier root="2.999.1" extension="78"/></AttributeValue><ResourceAttributeDesignator '
    'DataType="urn:hl7-org:v3#II" AttributeId="urn:ihe:iti:ser:2016:patient-id"/></ResourceMatch>'
)


@dataclass(frozen=True)
class Goal:
    """Alternatives of organisations and of classes; none asked for is any."""

    organizations: tuple[str, ...]
    classes: tuple[str, ...]

    def matches(self, organization: str, class_code: str) -> bool:
        return (not self.organizations or organization in self.organizations) and (
            not self.classes or class_code in self.classes
        )

    def xml(self, root: bool) -> str:
        subjects = "".join(
            f'<Subject><SubjectMatch MatchId="{EQUAL}"><AttributeValue DataType="{URI}">{each}</AttributeValue>'
            f'<SubjectAttributeDesignator DataType="{URI}" AttributeId="{Attribute.ORGANIZATION_ID.id}"/>'
            "</SubjectMatch></Subject>"
            for each in self.organizations
        )
        patient = PATIENT if root else ""
        coded = [
            '<ResourceMatch MatchId="urn:hl7-org:v3:function:CV-equal"><AttributeValue DataType="urn:hl7-org:v3#CV">'
            f'<hl7:CodedValue code="{each}" codeSystem="{SCHEME}"/></AttributeValue><ResourceAttributeDesignator '
            f'DataType="urn:hl7-org:v3#CV" AttributeId="{Attribute.CLASS_CODE.id}"/></ResourceMatch>'
            for each in self.classes
        ]
        resources = "".join(f"<Resource>{patient}{each}</Resource>" for each in coded or [""] if patient + each)
        return (
            "<Target>"
            + (f"<Subjects>{subjects}</Subjects>" if subjects else "")
            + (f"<Resources>{resources}</Resources>" if resources else "")
            + "</Target>"
        )


@dataclass(frozen=True)
class Rule:
    goal: Goal
    effect: Effect


@dataclass(frozen=True)
class Policies:
    """A PolicySet of policy sets, or a Policy of rules."""

    goal: Goal
    parts: "tuple[Policies | Rule, ...]"

    @property
    def is_policy(self) -> bool:
        return all(isinstance(each, Rule) for each in self.parts)


def decide(part: Policies | Rule, organization: str, class_code: str) -> Effect | None:
    """XACML's own words: None is NotApplicable."""
    if not part.goal.matches(organization, class_code):
        return None
    if isinstance(part, Rule):
        return part.effect
    inner = {decide(each, organization, class_code) for each in part.parts}
    return Effect.DENY if Effect.DENY in inner else Effect.PERMIT if Effect.PERMIT in inner else None


def xml(part: Policies | Rule, root: bool = False) -> str:
    goal = part.goal.xml(root)
    if isinstance(part, Rule):
        return f'<Rule RuleId="r" Effect="{part.effect.value.title()}">{goal}</Rule>'
    inner = goal + "".join(map(xml, part.parts))
    name, kind, combined = (
        ("Policy", "rule", "Rule") if part.is_policy and not root else ("PolicySet", "policy", "Policy")
    )
    return (
        f'<{name} xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os" xmlns:hl7="urn:hl7-org:v3" '
        f'{name}Id="urn:uuid:e3585197-9e3d-4ca3-9583-4540a3a5b64b" {combined}CombiningAlgId='
        f'"urn:oasis:names:tc:xacml:1.0:{kind}-combining-algorithm:deny-overrides">{inner}</{name}>'
    )


def combinations(part: Policies | Rule) -> int:
    """How many statements it becomes."""
    own = max(1, len(part.goal.organizations)) * max(1, len(part.goal.classes))
    return own * sum(combinations(each) for each in part.parts) if isinstance(part, Policies) else own


def flat(statements: tuple[Statement, ...], organization: str, class_code: str) -> Effect | None:
    request = {
        Condition(Attribute.ORGANIZATION_ID, organization),
        Condition(Attribute.CLASS_CODE, Code(class_code, SCHEME)),
    }
    effects = {each.rule for each in statements if each.conditions <= request}
    return Effect.DENY if Effect.DENY in effects else Effect.PERMIT if Effect.PERMIT in effects else None


goals = st.builds(
    Goal,
    st.lists(st.sampled_from(ORGANIZATIONS), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(CLASSES), max_size=2, unique=True).map(tuple),
)
rules = st.builds(Rule, goals, st.sampled_from(Effect))
policies = st.builds(Policies, goals, st.lists(rules, min_size=1, max_size=3).map(tuple))
sets = st.recursive(
    policies, lambda inner: st.builds(Policies, goals, st.lists(inner, min_size=1, max_size=3).map(tuple)), max_leaves=3
)
roots = st.builds(Policies, goals, st.lists(sets, min_size=1, max_size=2).map(tuple))


@given(root=roots.filter(lambda each: combinations(each) <= 64))
def test_the_statements_permit_what_the_policy_set_permits(root: Policies) -> None:
    statements = appc.read(xml(root, root=True).encode()).statements
    for organization in ORGANIZATIONS:
        for class_code in CLASSES:
            assert flat(statements, organization, class_code) == decide(root, organization, class_code)
