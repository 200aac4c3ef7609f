"""FHIR R4 Consent as far as it is understood: an element that is not here, or not among these values, is refused.

Elements that by FHIR's own rules change nothing (``id``, ``meta``, ``extension``, ``verification``) are read over;
``modifierExtension`` and ``implicitRules`` are not here, because they could change everything (FHIR R4: 2.6.3).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """Part of a resource. ``id`` and ``extension`` may be on every element and carry no condition."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)

    id: str | None = None
    extension: Any = None


Text = Annotated[str, Field(min_length=1, max_length=1024)]


class Coding(Shape):
    """A code and its system."""

    system: Text
    code: Text
    display: str | None = None
    version: str | None = None
    user_selected: bool | None = None


class CodeableConcept(Shape):
    """One concept in one or several codings; several would be alternatives of the same meaning."""

    coding: Annotated[list[Coding], Field(min_length=1, max_length=1)]
    text: str | None = None


class FreeConcept(Shape):
    """A concept that decides nothing here."""

    coding: Any = None
    text: Any = None


class Identifier(Shape):
    """A business identifier."""

    system: Text | None = None
    value: Text
    use: str | None = None
    type: FreeConcept | None = None


class Reference(Shape):
    """A reference by identifier; one by URL would have to be fetched, and is not (FHIR R4: 2.3.0.2)."""

    type: str | None = None
    identifier: Identifier
    display: str | None = None


class Period(Shape):
    """Start and end, both included, with the whole of the last day, minute or second (FHIR R4: 2.24.0.20)."""

    start: Text | None = None
    end: Text | None = None


class Actor(Shape):
    """Who a rule is about. ``role`` says how they take part, and decides nothing."""

    role: FreeConcept | None = None
    reference: Reference


class Data(Shape):
    """The document that a rule is about."""

    meaning: Literal["instance"]
    reference: Reference


Actors = Annotated[list[Actor], Field(min_length=1, max_length=50)]
Codings = Annotated[list[Coding], Field(min_length=1, max_length=50)]
Concepts = Annotated[list[CodeableConcept], Field(min_length=1, max_length=50)]


class Rule(Shape):
    """A provision without provisions of its own. Within a list is OR, between the lists is AND."""

    type: Literal["permit", "deny"] | None = None
    period: Period | None = None
    actor: Actors | None = None
    action: Concepts | None = None
    security_label: Codings | None = None
    purpose: Codings | None = None
    class_: Annotated[Codings | None, Field(alias="class")] = None
    code: Concepts | None = None
    data: Annotated[list[Data], Field(min_length=1, max_length=50)] | None = None


class Provision(Rule):
    """The root: rules one level down are exceptions to it; exceptions of exceptions are not understood."""

    provision: Annotated[list[Rule], Field(max_length=200)] = []


class Policy(Shape):
    """A policy of the domain by its id."""

    authority: Text | None = None
    uri: Text


class Narrative(Shape):
    """Text for people."""

    status: str
    div: str


class Consent(Shape):
    """The resource."""

    resource_type: Literal["Consent"]
    meta: Any = None
    language: Any = None
    text: Narrative | None = None
    identifier: list[Identifier] = []
    status: Literal["active"]
    scope: CodeableConcept
    category: list[FreeConcept]
    patient: Reference
    date_time: Text | None = None
    performer: Any = None
    organization: Any = None
    source_attachment: Any = None
    source_reference: Any = None
    policy: Annotated[list[Policy], Field(max_length=50)] = []
    policy_rule: CodeableConcept | None = None
    verification: Any = None
    provision: Provision | None = None
