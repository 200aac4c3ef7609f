"""What a consent document says, whatever its format: who is permitted or denied what, of which documents, and when.

The attributes are those of ITI Suppl. APPC: 5.6.2.1.4 (subject) and 5.6.2.1.5 (resource). A statement holds every
condition of its document: what no rule here can express is refused by the reader, never left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from ihe.citations import Citation
from ihe.datatypes import CX, HD, Code
from ihe.errors import Breach, ErrorCode


class Effect(Enum):
    """What a statement does; the value is the spelling of FHIR, XACML writes a capital letter."""

    PERMIT = "permit"
    DENY = "deny"


class Access(Enum):
    """What may be done with documents; queries and retrieves are one act, for a list of documents tells much."""

    READ = "read"
    WRITE = "write"


EVERY_ACCESS = frozenset(Access)


@dataclass(frozen=True, slots=True)
class InstanceIdentifier:
    """II of HL7 v3: an OID alone, or an OID and an extension below it (ITI Suppl. APPC: 5.6.2.1.2)."""

    root: str
    extension: str = ""

    @property
    def cx(self) -> CX:
        """The patient id that it spells: CX.4.2 as root, CX.1 as extension (ITI Suppl. APPC: 5.6.2.1.5.1.5)."""
        return CX(self.extension, HD("", self.root, "ISO"))

    def __str__(self) -> str:
        return f"{self.root}^{self.extension}" if self.extension else self.root


@dataclass(frozen=True, slots=True)
class PolicyId:
    """The name of a policy that the domain defines (a BPPC policy identifier, an XACML reference)."""

    id: str
    scheme: str = ""


class Kind(Enum):
    """The data type of an attribute."""

    STRING = "http://www.w3.org/2001/XMLSchema#string"
    URI = "http://www.w3.org/2001/XMLSchema#anyURI"
    CODE = "urn:hl7-org:v3#CV"
    IDENTIFIER = "urn:hl7-org:v3#II"


Value = str | Code | InstanceIdentifier


class Attribute(Enum):
    """What a condition compares: the XACML AttributeId and its data type (ITI Suppl. APPC: 5.6.2.1.4, 5.6.2.1.5)."""

    USER_ID = ("urn:oasis:names:tc:xacml:1.0:subject:subject-id", Kind.STRING)
    ORGANIZATION = ("urn:oasis:names:tc:xspa:1.0:subject:organization", Kind.STRING)
    ORGANIZATION_ID = ("urn:oasis:names:tc:xspa:1.0:subject:organization-id", Kind.URI)
    HOME_COMMUNITY_ID = ("urn:ihe:iti:xca:2010:homeCommunityId", Kind.URI)
    NPI = ("urn:oasis:names:tc:xspa:1.0:subject:npi", Kind.IDENTIFIER)
    PROVIDER_ID = ("urn:ihe:iti:xua:2017:subject:provider-identifier", Kind.IDENTIFIER)
    ROLE = ("urn:oasis:names:tc:xacml:2.0:subject:role", Kind.CODE)
    PURPOSE_OF_USE = ("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse", Kind.CODE)
    AUTHOR_INSTITUTION_ID = ("urn:ihe:iti:appc:2016:author-institution:id", Kind.IDENTIFIER)
    AUTHOR_PERSON_ID = ("urn:ihe:iti:appc:2016:author-person:id", Kind.IDENTIFIER)
    SOURCE_SYSTEM_ID = ("urn:ihe:iti:appc:2016:source-system-id", Kind.URI)
    CLASS_CODE = ("urn:ihe:iti:appc:2016:document-entry:class-code", Kind.CODE)
    TYPE_CODE = ("urn:ihe:iti:appc:2016:document-entry:type-code", Kind.CODE)
    CONFIDENTIALITY_CODE = ("urn:ihe:iti:appc:2016:confidentiality-code", Kind.CODE)
    EVENT_CODE = ("urn:ihe:iti:appc:2016:document-entry:event-code", Kind.CODE)
    PRACTICE_SETTING_CODE = ("urn:ihe:iti:appc:2016:document-entry:practice-setting-code", Kind.CODE)
    FACILITY_TYPE_CODE = ("urn:ihe:iti:appc:2016:document-entry:healthcare-facility-type-code", Kind.CODE)
    UNIQUE_ID = ("urn:oasis:names:tc:xacml:1.0:resource:resource-id", Kind.STRING)
    RELATED_FOLDER_ID = ("urn:ihe:iti:appc:2016:document-entry:related-folder:id", Kind.URI)
    RELATED_FOLDER_CODE = ("urn:ihe:iti:appc:2016:document-entry:related-folder:code", Kind.CODE)
    FOLDER_CODE = ("urn:ihe:iti:appc:2016:folder:code", Kind.CODE)

    @property
    def id(self) -> str:
        """The XACML AttributeId."""
        return self.value[0]

    @property
    def kind(self) -> Kind:
        """The data type that its values have."""
        return self.value[1]


ATTRIBUTES = {attribute.id: attribute for attribute in Attribute}


@dataclass(frozen=True, slots=True)
class Condition:
    """That an attribute of the request or of the document equals a value."""

    attribute: Attribute
    value: Value

    def __str__(self) -> str:
        return f"{self.attribute.name.lower()} = {self.value}"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` until before ``end``, both aware; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def within(self, other: "Period") -> "Period":
        """The time that lies in both."""
        starts = [each for each in (self.start, other.start) if each]
        ends = [each for each in (self.end, other.end) if each]
        return Period(max(starts, default=None), min(ends, default=None))

    @property
    def is_empty(self) -> bool:
        """Claim that no moment lies in it."""
        return self.start is not None and self.end is not None and self.start >= self.end


ALWAYS = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One rule: all its conditions together. ``rule`` is an effect, or a policy that the domain has yet to spell out.

    No condition on the subject means everybody, none on the document means every document of the patient.
    """

    rule: Effect | PolicyId
    conditions: frozenset[Condition] = frozenset()
    access: frozenset[Access] = EVERY_ACCESS
    period: Period = ALWAYS

    def values(self, attribute: Attribute) -> tuple[Value, ...]:
        """What it asks of one attribute: usually one value or none."""
        return tuple(each.value for each in self.conditions if each.attribute is attribute)

    def narrowed(self, by: "Statement") -> "Statement":
        """Apply ``by`` where this one applies; the rule is that of ``by``."""
        return replace(
            by,
            conditions=self.conditions | by.conditions,
            access=self.access & by.access,
            period=self.period.within(by.period),
        )

    @property
    def can_apply(self) -> bool:
        """Claim that there is an act and a moment for it."""
        return bool(self.access) and not self.period.is_empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDocument:
    """A consent as read: ``id`` is its own identifier, ``patients`` the ids under which it names its one patient."""

    id: str
    patients: tuple[CX, ...]
    statements: tuple[Statement, ...]
    description: str = ""
    written: datetime | None = field(default=None, compare=True)


def unsupported(text: str, location: str, citation: Citation, observed: str | None = None, remedy: str = "") -> Breach:
    """Refuse a part of a consent document that would otherwise have to be left out."""
    return Breach(
        code=ErrorCode.INVALID_DOCUMENT_CONTENT,
        text=text,
        location=location,
        observed=observed,
        citation=citation,
        remedy=remedy or "Nothing of this consent takes effect: leave this part out, or say it in another way",
    )


def spell_out(
    statements: Iterable[Statement], definitions: "Definitions", citation: Citation
) -> tuple[tuple[Statement, ...], tuple[Breach, ...]]:
    """Replace each policy id by what the domain says it means, with a breach for every id that it does not know."""
    known: list[Statement] = []
    breaches: list[Breach] = []
    for statement in statements:
        if isinstance(statement.rule, Effect):
            known.append(statement)
        elif (meanings := definitions.meaning(statement.rule)) is None:
            breaches.append(_unknown(statement.rule, definitions, citation))
        else:
            known += _applied(statement, meanings)
    return tuple(known), tuple(breaches)


@dataclass(frozen=True, slots=True)
class Definitions:
    """The policies that a domain defines: each an id and the statements that it stands for (ITI TF-1: 19.2).

    ``professionals`` is the OID under which the numbers of its health professionals are issued.
    """

    policies: tuple[tuple[PolicyId, tuple[Statement, ...]], ...] = ()
    professionals: str = ""

    def meaning(self, policy: PolicyId) -> tuple[Statement, ...] | None:
        """What a policy says; None if it is not known. An id without a scheme is an XACML reference."""
        for known, statements in self.policies:
            if known.id == policy.id and (not policy.scheme or known.scheme == policy.scheme):
                return statements
        return None


def _applied(statement: Statement, meanings: tuple[Statement, ...]) -> Iterator[Statement]:
    for meaning in meanings:
        narrowed = statement.narrowed(meaning)
        if narrowed.can_apply:
            yield narrowed


def _unknown(policy: PolicyId, definitions: Definitions, citation: Citation) -> Breach:
    return unsupported(
        "A consent acknowledges or references policies that this domain defines",
        policy.scheme,
        citation,
        observed=policy.id,
        remedy="Use one of: " + (", ".join(known.id for known, _ in definitions.policies) or "(the domain has none)"),
    )
