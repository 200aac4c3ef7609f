"""QPD-3 of a demographics query: ``@PID.5.1.1^SMITH~@PID.8^F`` to Criteria (ITI TF-2: 3.21.4.1.2.3)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hl7v2.message import Segment
from ihe.citations import tf2
from ihe.datatypes import CX, HD, is_time
from ihe.domain import AffinityDomain
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.identification import missing, unknown_authority
from pix.patient_rules import FRACTION_AND_ZONE, SEXES
from pix.queries import Criteria, IdentifierPattern

FIELD = 3
NAME = re.compile(r"@?(?P<segment>PID|PD1)\.(?P<position>\d+(\.\d+){0,2})")
PARAMETERS: Mapping[str, str] = {
    "5": "family",
    "5.1": "family",
    "5.1.1": "family",
    "5.1.3": "family",
    "5.1.5": "family",
    "5.2": "given",
    "5.3": "given",
    "6": "mothers_family",
    "6.1": "mothers_family",
    "6.1.1": "mothers_family",
    "6.2": "mothers_given",
    "7": "birth",
    "7.1": "birth",
    "8": "sex",
    "8.1": "sex",
    "11": "street",
    "11.1": "street",
    "11.1.1": "street",
    "11.1.2": "street",
    "11.3": "city",
    "11.4": "state",
    "11.5": "postal_code",
    "11.6": "country",
    "13": "phone",
    "13.1": "phone",
    "13.4": "email",
    "13.5": "phone_country",
    "13.6": "phone_area",
    "13.7": "phone_local",
    "13.12": "phone",
    "3": "identifier.id",
    "3.1": "identifier.id",
    "3.4": "identifier.namespace_id",
    "3.4.1": "identifier.namespace_id",
    "3.4.2": "identifier.universal_id",
    "3.4.3": "identifier.universal_id_type",
    "3.5": "identifier.type_code",
    "18": "account.id",
    "18.1": "account.id",
    "18.4": "account.namespace_id",
    "18.4.1": "account.namespace_id",
    "18.4.2": "account.universal_id",
    "18.4.3": "account.universal_id_type",
    "18.5": "account.type_code",
}
"""The fields of Tables 3.21-3 and 3.21-4, by component: which criterion each is."""
REPEATABLE = frozenset({"family", "given"})
ONCE = frozenset({"birth", "sex", "email", "phone", "phone_country", "phone_area", "phone_local"})
"""A patient has one: a second value could only contradict the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One repetition of QPD-3 that is understood."""

    criterion: str
    value: str
    location: str


@dataclass(frozen=True, slots=True)
class Identification:
    """The parameters that together are one CX; another ``.1`` begins the next one."""

    parts: dict[str, Parameter] = field(default_factory=dict)

    @property
    def authority(self) -> HD:
        """The assigning authority as far as it is given."""
        names = ("namespace_id", "universal_id", "universal_id_type")
        return HD(*(self.parts[name].value if name in self.parts else "" for name in names))

    @property
    def location(self) -> str:
        """Where the authority stands, or else the id."""
        names = ("universal_id", "namespace_id", "universal_id_type", "id", "type_code")
        return next(self.parts[name].location for name in names if name in self.parts)


def read_criteria(qpd: Segment, domain: AffinityDomain) -> Criteria:
    """The criteria of QPD-3; Rejected with a breach at each repetition that cannot be searched by."""
    breaches: list[Breach] = []
    parameters = tuple(_parameters(qpd, breaches))
    if not parameters and not breaches:
        breaches.append(missing(qpd.location(FIELD), "At least one demographics field", tf2("Table 3.21-2")))
    criteria = _criteria(parameters, breaches)
    identifiers = tuple(_patterns(_identifications(parameters, "identifier."), domain, breaches))
    accounts = tuple(_accounts(_identifications(parameters, "account."), breaches))
    if breaches:
        raise Rejected(*breaches)
    return replace(criteria, identifiers=identifiers, accounts=accounts)


def _parameters(qpd: Segment, breaches: list[Breach]) -> Iterator[Parameter]:
    for count, repetition in enumerate(qpd.repetitions(FIELD), 1):
        name, value = repetition.text(1), repetition.text(2)
        location = qpd.location(FIELD, count)
        if not name and not value:
            continue
        matched = NAME.fullmatch(name)
        criterion = PARAMETERS.get(matched["position"]) if matched and matched["segment"] == "PID" else None
        if criterion is None:
            breaches.append(_unsupported(location, name))
        elif value:
            yield Parameter(criterion=criterion, value=value, location=location)


def _criteria(parameters: tuple[Parameter, ...], breaches: list[Breach]) -> Criteria:
    values: dict[str, list[str]] = {}
    for each in parameters:
        breaches.extend(_wrong_value(each))
        if each.criterion in ONCE and each.criterion in values:
            if values[each.criterion] != [each.value]:
                breaches.append(_breach(HL7ErrorCode.DATA_TYPE_ERROR, each, "Another value was given before"))
        elif "." not in each.criterion:
            values.setdefault(each.criterion, []).append(each.value)
    day = _dtm(values.pop("birth", [""])[0])
    phone = _phone(values)
    known = {name: tuple(texts) if name in REPEATABLE else " ".join(texts) for name, texts in values.items()}
    return Criteria(**known, birth=(day, day) if day else None, phone=phone or None)  # type: ignore[arg-type]


def _dtm(text: str) -> str:
    """A TS without fraction of a second and zone: births are compared as far as the day."""
    return FRACTION_AND_ZONE.sub("", text)


def _phone(values: dict[str, list[str]]) -> str:
    whole, country, area, local = (
        "".join(values.pop(name, [])[:1]) for name in ("phone", "phone_country", "phone_area", "phone_local")
    )
    international = f"+{country.lstrip('+0')} " if country.strip("+0 ") else ""
    return whole or f"{international}{area}{local}"


def _wrong_value(parameter: Parameter) -> Iterator[Breach]:
    if parameter.criterion == "birth" and not is_time(_dtm(parameter.value)):
        yield _breach(HL7ErrorCode.DATA_TYPE_ERROR, parameter, "A date of birth is YYYY[MM[DD]], a day that exists")
    if parameter.criterion == "phone" and not any(map(str.isdecimal, parameter.value)):
        yield _breach(HL7ErrorCode.DATA_TYPE_ERROR, parameter, "A telephone number has digits")
    if parameter.criterion == "sex" and parameter.value not in SEXES:
        yield _breach(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, parameter, f"The sex is one of {', '.join(SEXES)}")


def _identifications(parameters: tuple[Parameter, ...], prefix: str) -> list[Identification]:
    found: list[Identification] = []
    for each in parameters:
        if each.criterion.startswith(prefix):
            part = each.criterion.removeprefix(prefix)
            if not found or part in found[-1].parts:
                found.append(Identification())
            found[-1].parts[part] = each
    return found


def _patterns(
    identifications: list[Identification], domain: AffinityDomain, breaches: list[Breach]
) -> Iterator[IdentifierPattern]:
    for each in identifications:
        authority = domain.authority(each.authority)
        if "id" not in each.parts:
            breaches.append(missing(each.location, "@PID.3.1 beside @PID.3.4", tf2("3.21.4.1.2.3")))
        elif each.authority == HD():
            breaches.append(missing(each.location, "@PID.3.4 beside @PID.3.1", tf2("3.21.4.1.2.3")))
        elif authority is None:
            breaches.append(unknown_authority(domain, each.authority, each.location))
        else:
            yield IdentifierPattern(id=each.parts["id"].value.strip(" "), authority=authority)


def _accounts(identifications: list[Identification], breaches: list[Breach]) -> Iterator[CX]:
    for each in identifications:
        if "id" in each.parts:
            yield CX(each.parts["id"].value, each.authority)
        else:
            breaches.append(missing(each.location, "@PID.18.1 beside @PID.18.4", tf2("3.21.4.1.2.3")))


def _unsupported(location: str, name: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
        text="This demographics field cannot be searched by",
        location=location,
        observed=name,
        expected=", ".join(f"@PID.{position}" for position in PARAMETERS),
        citation=tf2("Table 3.21-3"),
    )


def _breach(code: HL7ErrorCode, parameter: Parameter, text: str) -> Breach:
    return Breach(
        code=code, text=text, location=parameter.location, observed=parameter.value, citation=tf2("3.21.4.1.2.3")
    )
