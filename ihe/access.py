"""What somebody may see and add, as access rights and registry share it: the one decides, the other keeps to it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ihe.exchange import Exchange
from ihe.identifiers import PatientKey, UniqueId

Connection = TypeVar("Connection", contravariant=True)

Hidden = tuple[PatientKey, UniqueId]
"""A document of one patient: what was hidden of one says nothing of another's, though they have the same uniqueId."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """Kinds of documents by classCode and typeCode (``code^^scheme``).

    A document of a forbidden code is out, whatever else it is; of the rest those of an allowed code are in, and all
    where ``others`` is true.
    """

    allowed_classes: frozenset[str] = frozenset()
    allowed_types: frozenset[str] = frozenset()
    forbidden_classes: frozenset[str] = frozenset()
    forbidden_types: frozenset[str] = frozenset()
    others: bool = False

    def hold(self, class_code: str | None, type_code: str | None) -> bool:
        """Claim that a document of these codes is in."""
        if class_code in self.forbidden_classes or type_code in self.forbidden_types:
            return False
        return self.others or class_code in self.allowed_classes or type_code in self.allowed_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one capacity shows: kinds of documents, and the confidentiality codes that a document may have at most."""

    name: str
    categories: Categories
    confidentiality: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rights for these patients, but for documents that are hidden: each of one patient, by uniqueId."""

    rights: Rights
    keys: frozenset[PatientKey]
    hidden: frozenset[Hidden] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorship:
    """A person's own documents, by XCN.1 of the author, of these patients, but for hidden ones of each."""

    id: str
    keys: frozenset[PatientKey]
    hidden: frozenset[Hidden] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen: what any of the windows shows, and what the person wrote."""

    windows: tuple[Window, ...] = ()
    authorship: Authorship | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What may be added to a patient's record: the kinds of documents of each capacity; none: nothing at all."""

    categories: Mapping[str, Categories] = field(default_factory=dict)

    def breaking(self, kinds: Collection[tuple[str | None, str | None]]) -> Iterator[tuple[str | None, str | None]]:
        """The classCode and typeCode of documents that none of the capacities may add."""
        return (each for each in kinds if not any(some.hold(*each) for some in self.categories.values()))


class Viewer(Protocol[Connection]):
    """The eyes of one request. What it learns of a patient it keeps until the transaction ends."""

    def anew(self) -> "Viewer[Connection]":
        """The same eyes, which have seen nothing yet: for each transaction, and each time that one runs again."""

    def sight(self, connection: Connection, keys: Collection[PatientKey]) -> Sight:
        """What is seen of these patients and of those about whom it was asked before."""

    def related(self, connection: Connection, most: int) -> Collection[PatientKey]:
        """The patients with whom the person has to do; not more than ``most`` and one."""

    def admission(self, connection: Connection, keys: Collection[PatientKey]) -> Admission:
        """What the person may add to the record of the patient who has these ids."""


class Access(Protocol[Connection]):
    """Who sees what in this domain."""

    def viewer(self, exchange: Exchange) -> Viewer[Connection] | None:
        """The eyes of a request; None: everything is seen."""

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        """Told before a query of the patients (CX) that it names: an emergency opens their records."""


class Open:
    """Everybody sees everything."""

    def viewer(self, exchange: Exchange) -> None:
        """Nothing is restricted."""

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        """Nothing has to be opened."""


OPEN = Open()
