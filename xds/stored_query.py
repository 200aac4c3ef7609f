"""The words in which stored queries are declared: the columns of the parameter tables (ITI TF-2: 3.18.4.1.2.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from ihe.citations import Citation
from ihe.vocabulary import Vocabulary
from xds.model import MetadataObject


class Kind(Vocabulary):
    """How the values of a parameter are spelled and compared."""

    TEXT = "a string, compared exactly"
    PATIENT_ID = "id^^^&oid&ISO"
    CODE = "code^^coding-scheme"
    TIME_FROM = "YYYY[MM[DD[hh[mm[ss]]]]], inclusive"
    TIME_TO = "YYYY[MM[DD[hh[mm[ss]]]]], exclusive"
    PATTERN = "a pattern of SQL LIKE"
    STATUS = "an availabilityStatus; others are ignored"
    ASSOCIATION_TYPE = "an associationType; others are ignored"
    ENTRY_TYPE = "the objectType of a Stable or an On-Demand Document Entry"
    AVAILABILITY = "a documentAvailability"
    METADATA_LEVEL = "1 or 2"


class Opt(Vocabulary):
    """The column Opt of the parameter tables."""

    REQUIRED = "R"
    OPTIONAL = "O"


class Mult(Vocabulary):
    """The column Mult of the parameter tables, with the footnote on AND/OR semantics."""

    ONE = "-"
    ANY = "M"
    ALL_OF_ANY = "M with AND/OR"


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One row of a parameter table, equal to no other. ``attribute`` is what the values are compared with."""

    name: str
    attribute: str
    kind: Kind
    opt: Opt = Opt.OPTIONAL
    mult: Mult = Mult.ONE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredQuery:
    """A stored query, itself and equal to no other.

    Of the parameters ``exactly_one`` one and only one is given; of ``at_least_one`` one or more. ``one_patient`` are
    the objects that must belong to one patient before a LeafClass answer may leave.
    """

    id: str
    name: str
    citation: Citation
    parameters: tuple[Parameter, ...]
    exactly_one: tuple[str, ...] = ()
    at_least_one: tuple[str, ...] = ()
    one_patient: frozenset[MetadataObject] = frozenset()

    @property
    def by_name(self) -> Mapping[str, Parameter]:
        """The parameters by the name of their Slot."""
        return _by_name(self)


@lru_cache
def _by_name(query: StoredQuery) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.name: parameter for parameter in query.parameters})
