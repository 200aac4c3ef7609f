"""An assertion about one patient shows nothing of others, also where a request names documents instead of a patient.

What is another's answers like what nobody has, as everything hidden does (ITI TF-2: 3.18.4.1.3.5).
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from affinity.patient_binding import bound_patient
from ihe.access import Admission, Categories, Rights, Sight, Window
from ihe.datatypes import CX
from ihe.exchange import Exchange
from ihe.identifiers import PatientKey
from pix import store_links, store_records
from pix.candidates import persons_named
from pix.manager import PatientIndex
from pix.model import Identifier
from xds.visibility import Access, Viewer, anew

ALL_KINDS = Categories(others=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientBoundAccess:
    """The domain's access rights, narrowed for requests whose assertion is about one patient."""

    access: Access
    index: PatientIndex

    def viewer(self, exchange: Exchange) -> Viewer | None:
        """The eyes of a request."""
        inner, about = self.access.viewer(exchange), bound_patient(exchange.principal)
        return inner if about is None else OnePatient(index=self.index, about=about, inner=inner)

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        """As the domain's own rights; a query names no other patient than the assertion (``patient_bound``)."""
        self.access.enter(exchange, patients)


@dataclass(kw_only=True)
class OnePatient:
    """Eyes that see the records of one person alone; ``inner`` None sees all of them."""

    index: PatientIndex
    about: CX
    inner: Viewer | None
    seen: set[PatientKey] = field(default_factory=set)

    def anew(self) -> "OnePatient":
        """The same eyes, which have seen nothing."""
        return replace(self, inner=anew(self.inner), seen=set())

    def sight(self, connection: Connection, keys: Collection[PatientKey]) -> Sight:
        """What is seen of the patient, if it is among these or was before."""
        own = self._own(connection, keys)
        if self.inner is not None:
            return self.inner.sight(connection, own)
        self.seen |= own
        codes = self.index.domain.codes.get("confidentialityCode", frozenset())
        rights = Rights(name="one patient", categories=ALL_KINDS, confidentiality=frozenset(map(str, codes)))
        return Sight(windows=(Window(rights=rights, keys=frozenset(self.seen)),))

    def related(self, connection: Connection, most: int) -> Collection[PatientKey]:
        """The ids of the patient, as far as the person has to do with them."""
        if self.inner is not None:
            return self._own(connection, self.inner.related(connection, most))
        person = self._person(connection)
        return () if person is None else store_links.members(connection, [person]).get(person, ())

    def admission(self, connection: Connection, keys: Collection[PatientKey]) -> Admission:
        """What may be added to the patient's record; to anybody else's, nothing."""
        own = self._own(connection, keys)
        if not own:
            return Admission()
        return self.inner.admission(connection, own) if self.inner else Admission(categories={"all": ALL_KINDS})

    def _own(self, connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
        """Those of the ids that are the patient's, merged ones included."""
        person = self._person(connection)
        survivors = store_records.survivors(connection, keys)
        persons = store_links.persons_of(connection, set(survivors.values()))
        return {key for key, each in survivors.items() if person is not None and persons.get(each) == person}

    def _person(self, connection: Connection) -> PatientKey | None:
        """The one person who has the assertion's id; None where nobody has, or sources contradict each other."""
        authority = self.index.domain.authority(self.about.authority)
        if authority is None:
            return None
        persons = persons_named(connection, Identifier(authority=authority, id=self.about.id))
        return next(iter(persons)) if persons and len(persons) == 1 else None
