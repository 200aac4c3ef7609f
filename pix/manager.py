"""The responder of every PIX and PDQ transaction, v2 and v3: one index of source records and the persons they form."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ihe.datatypes import CX
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Transactor
from ihe.identifiers import PatientKey
from pix.model import CandidateQuery, Feed, Identifier, Merge, Origin, Page, Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIndex:
    """PIX Manager and Patient Demographics Supplier, and the XDS registry's view of patients.

    Every change returns the answer to send: ``origin.answer``, or the stored one if the same message was applied
    before. Every refusal is a ``Rejected`` whose breaches carry the ``location`` of the identifier concerned.
    """

    domain: AffinityDomain
    database: Transactor[Connection]
    clock: Callable[[], datetime]

    def register(self, feed: Feed, origin: Origin) -> bytes:
        """Add a patient or update it (ITI-8 A01/A04/A05/A08, ITI-30 A28/A31, ITI-44 add and revise)."""
        raise NotImplementedError

    def merge(self, merges: tuple[Merge, ...], origin: Origin) -> bytes:
        """Merge ids that are both known (ITI-8 A40, ITI-44 duplicates resolved; ITI TF-2: 3.8.4.2.4)."""
        raise NotImplementedError

    def merge_or_change(self, merges: tuple[Merge, ...], origin: Origin) -> bytes:
        """Merge; an unknown survivor takes over the id, an unknown subsumed id is no error (ITI TF-2: 3.30.6.4.4)."""
        raise NotImplementedError

    def change(self, changes: tuple[Merge, ...], origin: Origin) -> bytes:
        """Give ``subsumed`` its new id ``surviving``, which nobody else may have (ITI TF-2: 3.30.6.5.4)."""
        raise NotImplementedError

    def link(self, first: tuple[Identifier, ...], second: tuple[Identifier, ...], origin: Origin) -> bytes:
        """Record that both lists are one person (ITI TF-2: 3.30.6.6.4)."""
        raise NotImplementedError

    def unlink(self, first: tuple[Identifier, ...], second: tuple[Identifier, ...], origin: Origin) -> bytes:
        """Record that the lists are two persons; no action if they are not linked (ITI TF-2: 3.30.6.7.4)."""
        raise NotImplementedError

    def corresponding(
        self, identifier: Identifier, domains: tuple[AssigningAuthority, ...] = ()
    ) -> tuple[Identifier, ...] | None:
        """The person's other ids, in ``domains`` or all, grouped by domain; None if ``identifier`` is unknown."""
        raise NotImplementedError

    def find(self, query: CandidateQuery) -> Page:
        """Search; the rest of a longer result is kept for ``more`` (ITI TF-2: 3.21.4.2.2.8). Rejected: too broad."""
        raise NotImplementedError

    def more(self, pointer: str, quantity: int | None, owner: str) -> Page | None:
        """The page that ``pointer`` names; None if it is unknown, cancelled, too old, or another sender's."""
        raise NotImplementedError

    def continued(self, tag: str, start: int, quantity: int | None, owner: str) -> Page | None:
        """The page of query ``tag`` from result number ``start`` (1-based), as HL7 v3 asks; None as for ``more``."""
        raise NotImplementedError

    def cancel(self, tag: str, owner: str) -> None:
        """Forget the results kept for a query; harmless if there are none (ITI TF-2: 3.21.4.3)."""
        raise NotImplementedError

    def resolve(self, connection: Connection, patient_id: CX) -> Patient | None:
        """The patient that an XDS patient id names; None: unknown, subsumed, or its authority issues no XDS ids."""
        raise NotImplementedError

    def current(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        """The surviving id for each key."""
        raise NotImplementedError
