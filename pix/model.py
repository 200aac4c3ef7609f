"""The master patient index in values (data elements: ITI TF-2: M.4.1; PID fields: ITI TF-2: Table 3.30-3)."""

from dataclasses import dataclass, field, fields, replace
from enum import Enum

from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identifier:
    """A patient id in one identifier domain. ``location`` says where the message holds it, for error reports.

    ``key`` is what makes two identifiers the same: the authority's OID and the id, character by character.
    """

    authority: AssigningAuthority
    id: str
    type_code: str = ""
    location: str = ""
    key: tuple[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.authority.oid, self.id))

    @property
    def cx(self) -> CX:
        """The identifier with its fully qualified assigning authority (ITI TF-2: Table E-2)."""
        return CX(self.id, self.authority.hd, self.type_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identifier) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """XPN: a name; ``family`` is the whole surname, the four parts after it are optional detail (FN.2 to FN.5)."""

    family: str = ""
    given: str = ""
    further_given: str = ""
    suffix: str = ""
    prefix: str = ""
    degree: str = ""
    type_code: str = ""
    own_family_prefix: str = ""
    own_family: str = ""
    partner_family_prefix: str = ""
    partner_family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """XAD: ``street`` is the whole line; ``street_name`` and ``house_number`` are optional detail (SAD.2, SAD.3)."""

    street: str = ""
    other_designation: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    type_code: str = ""
    other_geographic: str = ""
    county: str = ""
    street_name: str = ""
    house_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telecom:
    """XTN: a telephone number as text or in parts, or an e-mail address. ``use`` PRN, WPN; ``equipment`` PH, CP..."""

    number: str = ""
    use: str = ""
    equipment: str = ""
    email: str = ""
    country_code: str = ""
    area_code: str = ""
    local_number: str = ""
    extension: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """CE: a coded element."""

    code: str = ""
    text: str = ""
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """What one source says of one patient, as sent. An empty tuple or None means that nothing is known.

    ``birth_time``, ``death_time`` and ``last_update_time`` are DTM of any precision; ``sex`` is of HL7 table 0001.
    """

    names: tuple[PersonName, ...] = ()
    mothers_maiden_names: tuple[PersonName, ...] = ()
    birth_time: str | None = None
    sex: str | None = None
    aliases: tuple[PersonName, ...] = ()
    races: tuple[Coded, ...] = ()
    addresses: tuple[Address, ...] = ()
    county: str | None = None
    home_phones: tuple[Telecom, ...] = ()
    business_phones: tuple[Telecom, ...] = ()
    languages: tuple[Coded, ...] = ()
    marital_status: Coded | None = None
    religion: Coded | None = None
    accounts: tuple[CX, ...] = ()
    ssn: str | None = None
    drivers_license: str | None = None
    mothers_identifiers: tuple[CX, ...] = ()
    ethnic_groups: tuple[Coded, ...] = ()
    birth_place: str | None = None
    multiple_birth: str | None = None
    birth_order: str | None = None
    citizenships: tuple[Coded, ...] = ()
    veterans_status: Coded | None = None
    nationality: Coded | None = None
    death_time: str | None = None
    death_indicator: str | None = None
    identity_unknown: str | None = None
    identity_reliability: tuple[str, ...] = ()
    last_update_time: str | None = None
    last_update_facility: HD | None = None


ATTRIBUTES = tuple(each.name for each in fields(Demographics))
NOTHING_KNOWN = Demographics()


class IdentifierList(Enum):
    """Whether a message lists every id of the patient, so that one that its sender no longer lists is withdrawn."""

    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who sent a change, and the answer that goes out once it is stored; a resend gets the answer stored first.

    ``source`` is ``application|facility``, ``digest`` the SHA-256 (hex) of the message's content, ``answer`` the
    serialized acknowledgement that says "accepted", ``transaction`` such as ``ITI-30 A31``. ``reason`` is what a
    person gave as the reason of what he or she did.
    """

    source: str
    message_id: str
    digest: str
    answer: bytes
    transaction: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One patient as one message states it.

    ``deleted`` names the attributes of Demographics that the message deletes explicitly (``""`` in HL7 v2, ITI TF-2:
    C.2.6); ``withdrawn`` the national authorities whose id it deletes. Attributes that are absent stay as they were.
    ``sent`` is the patient as received (the PID segment, the v3 patient element), kept with the event.
    ``announces``: the sender says that the patient is new, which is likely and need not be so.
    """

    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    deleted: frozenset[str] = frozenset()
    withdrawn: tuple[AssigningAuthority, ...] = ()
    identifier_list: IdentifierList = IdentifierList.PARTIAL
    sent: str = ""
    announces: bool = False

    def applied_to(self, known: Demographics) -> Demographics:
        """What is known afterwards: what is sent replaces, ``""`` deletes, what is absent stays (ITI TF-2: C.2.6)."""
        if known == NOTHING_KNOWN:
            return self.demographics
        sent = {name: getattr(self.demographics, name) for name in ATTRIBUTES}
        changed = {name: value for name, value in sent.items() if value != getattr(NOTHING_KNOWN, name)}
        deleted = {name: getattr(NOTHING_KNOWN, name) for name in self.deleted}
        return replace(known, **(deleted | changed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """``subsumed`` (MRG-1) becomes ``surviving`` (PID-3); both are of the same identifier domain."""

    surviving: Identifier
    subsumed: Identifier
