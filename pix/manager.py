"""The responder of every PIX and PDQ transaction, v2 and v3: one index of source records and the persons they form."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Transactor
from ihe.identifiers import PatientKey
from ihe.patients import Patient
from pix import (
    accounts,
    arrivals,
    asking,
    candidates,
    declaring,
    encounter_changes,
    loading,
    matricule,
    merging,
    moving,
    receipts,
    registration,
    store_records,
)
from pix.arrivals import Arrival
from pix.claims import own_identifiers, refuse_too_many
from pix.common_locks import CommonLocks
from pix.encounter_requests import AccountMove, EncounterMessage
from pix.found import USUAL, Limits
from pix.golden import Survivorship
from pix.journal import Change, Write, write_now
from pix.locks import Alone, EarlyNames, Locks, Met, Names, until_locked
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import Configuration, default
from pix.matching.mode import Mode
from pix.matching.subject import subject
from pix.model import Feed, Identifier, Merge, Origin
from pix.moving import Follow, Move
from pix.newcomers import Line
from pix.notifications import Outbox
from pix.numbering import Counted, Reserved
from pix.queries import CandidateQuery, Page
from pix.recent import Recent
from pix.rendering import is_national_id
from statements.prepared import Question, ask_ahead
from statements.together import with_others

Answer = TypeVar("Answer")
NOBODY_IS_TOLD = Outbox()


def nobody_follows(index: "PatientIndex", changes: Sequence[Change]) -> None:
    """Nothing depends on what the index learns."""


Asking = Callable[[Change, Met], Iterable[Question]]
"""What a change will ask of PostgreSQL first, as those tell it who were met while its locks were taken."""


def nothing_is_known(change: Change, met: Met) -> Iterable[Question]:
    """It is not known what a change will ask."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIndex:
    """PIX Manager and Patient Demographics Supplier, and the XDS registry's view of patients.

    Every change returns the answer to send: ``origin.answer``, or the stored one if the same message was applied
    before. Every refusal is a ``Rejected`` whose breaches carry the ``location`` of the identifier concerned.
    ``is_national_id`` says whether the check digits of a national id are right; one with wrong digits links nobody.
    ``survivorship`` says whose word counts where records of one person differ.
    ``outbox`` takes what PIX Consumers are to be told of a change, in its transaction (ITI-10, ITI-46).
    ``search_limits`` bound each demographics query.
    ``shadow`` is a configuration on trial, whose verdicts are kept where they differ (``pix.shadowing``).
    ``follow`` is told of the changes of a transaction, in it: the shared care record lives by it.
    """

    domain: AffinityDomain
    database: Transactor[Connection]
    clock: Callable[[], datetime]
    is_national_id: Callable[[str], bool] = matricule.is_valid
    matching: Configuration = field(default_factory=default)
    mode: Mode = Mode.ON
    shadow: Configuration | None = None
    locking: type[Locks] = Locks
    survivorship: Survivorship = field(default_factory=Survivorship)
    outbox: Outbox = NOBODY_IS_TOLD
    search_limits: Limits = USUAL
    follow: Callable[["PatientIndex", Sequence[Change]], None] = nobody_follows

    def register(self, feed: Feed, origin: Origin) -> bytes:
        """Add a patient or update it (ITI-8 A01/A04/A05/A08, ITI-30 A28/A31, ITI-44 add and revise)."""
        nationals = [each.key for each in feed.identifiers if each.authority.national]
        arrival = self._foreseen(feed, origin) if feed.announces else None

        def applied() -> bytes:
            return self.apply(
                origin,
                feed.identifiers,
                lambda change: registration.register(change, feed),
                lambda: lookup_keys(subject(feed.demographics, nationals)),
                arrival,
                lambda change, met: registration.asking(change, met, feed),
            )

        return applied() if arrival is None else with_others(self._arrive, arrival, applied)

    def load(self, entries: Sequence[Line], keep: loading.Keep, recent: Recent | None = None) -> loading.Verdicts:
        """Register many feeds in one transaction, in order; why each was refused, None for those that are stored.

        Whoever else writes waits for it, or it for them. There are no receipts: ``keep`` runs in the same
        transaction, and writes what tells that these are done. ``recent`` is what earlier ones stored after scouts
        looked for entries of this one; without it no scout may have looked.
        """
        at = self.clock()

        def begin(connection: Connection, origin: Origin, write: Write) -> Change:
            return self._change(connection, origin, at, Alone(connection), write)

        def alone(connection: Connection, entry: Line) -> None:
            change = begin(connection, entry.origin, write_now)
            registration.register(change, entry.rendering.feed(self.domain))
            self.follow(self, (change,))
            self.outbox.post(change)

        means = loading.Means(
            begin=begin,
            alone=alone,
            follow=lambda changes: self.follow(self, changes),
            configuration=self.matching if self.registers_together else None,
        )
        return loading.load(self.database, entries, means, keep, recent)

    def _foreseen(self, feed: Feed, origin: Origin) -> Arrival | None:
        """What a new record says, worked out before the change begins; None where it is to be looked at alone."""
        registration.foresee(feed)
        if not self.registers_together or len(own_identifiers(feed.identifiers)) != 1:
            return None
        return Arrival(feed, origin, self.clock())

    def _arrive(self, connection: Connection, some: Sequence[Arrival]) -> AbstractContextManager[Collection[Arrival]]:
        """Register those who are new, of messages that share a commit."""
        locks = CommonLocks(connection, [each.rendering for each in some], self.matching)
        means = arrivals.Means(
            numbers=Reserved if locks.are_needed else Counted,
            begin=lambda connection, origin, at, write: self._change(connection, origin, at, locks, write),
            follow=lambda changes: self.follow(self, changes),
            configuration=self.matching,
        )
        return arrivals.registered(means, connection, some)

    @property
    def registers_together(self) -> bool:
        """Claim that nobody looks at each change alone, and that what was worked out beforehand holds here."""
        judges_alike = self.is_national_id is is_national_id
        return judges_alike and self.mode is not Mode.OFF and self.shadow is None and not self.outbox.subscriptions

    def merge(self, merges: tuple[Merge, ...], origin: Origin) -> bytes:
        """Merge ids that are both known (ITI-8 A40, ITI-44 duplicates resolved; ITI TF-2: 3.8.4.2.4)."""
        return self.apply(origin, _both(merges), lambda change: merging.merge(change, merges))

    def merge_or_change(self, merges: tuple[Merge, ...], origin: Origin) -> bytes:
        """Merge; an unknown survivor takes over the id, an unknown subsumed id is no error (ITI TF-2: 3.30.6.4.4)."""
        return self.apply(origin, _both(merges), lambda change: merging.merge_or_change(change, merges))

    def change(self, changes: tuple[Merge, ...], origin: Origin) -> bytes:
        """Give ``subsumed`` its new id ``surviving``, which nobody else may have (ITI TF-2: 3.30.6.5.4)."""
        return self.apply(origin, _both(changes), lambda change: merging.change_identifiers(change, changes))

    def link(self, first: tuple[Identifier, ...], second: tuple[Identifier, ...], origin: Origin) -> bytes:
        """Record that both lists are one person (ITI TF-2: 3.30.6.6.4)."""
        return self.apply(origin, (*first, *second), lambda change: declaring.link(change, first, second))

    def unlink(self, first: tuple[Identifier, ...], second: tuple[Identifier, ...], origin: Origin) -> bytes:
        """Record that the lists are two persons; no action if they are not linked (ITI TF-2: 3.30.6.7.4)."""
        return self.apply(origin, (*first, *second), lambda change: declaring.unlink(change, first, second))

    def encounter(self, message: EncounterMessage, origin: Origin) -> bytes:
        """Insert, cancel or update a movement of the patient, and feed the patient (ITI-31; ITI TF-2: 3.31.7)."""
        return self.apply(origin, message.feed.identifiers, lambda change: encounter_changes.apply(change, message))

    def move_accounts(self, moves: tuple[AccountMove, ...], origin: Origin) -> bytes:
        """Give accounts and their encounters to other patients (ITI-31 A44; ITI TF-2: 3.31.7.25.4)."""
        named = [each for move in moves for each in (*move.supplier, *move.target.identifiers)]
        return self.apply(origin, named, lambda change: accounts.move(change, moves))

    def move(self, move: Move, source_id: str | None, follow: Follow, origin: Origin) -> bytes:
        """Give a local id another XAD-PID; ``follow`` lets the registry do the same (ITI-64; ITI TF-2: 3.64.4.1.3)."""
        named = [each for each in (move.local, move.previous, move.new, move.subsumed) if each]

        def work(change: Change) -> None:
            moving.move(change, move)
            follow(change.connection, moving.link_change(change.connection, move, source_id, self.resolve))

        return self.apply(origin, named, work)

    def corresponding(
        self, identifier: Identifier, domains: tuple[AssigningAuthority, ...] = ()
    ) -> tuple[Identifier, ...] | None:
        """The person's other ids, in ``domains`` or all, grouped by domain; None if ``identifier`` is unknown."""
        return asking.corresponding(self, identifier, domains)

    def find(self, query: CandidateQuery) -> Page:
        """Search; the rest of a longer result is kept for ``more`` (ITI TF-2: 3.21.4.2.2.8).

        Rejected: too broad, or it took longer than ``search_limits`` allow.
        """
        return asking.find(self, query)

    def more(self, pointer: str, quantity: int | None, owner: str) -> Page | None:
        """The page that ``pointer`` names; None if it is unknown, cancelled, too old, or another sender's."""
        return asking.more(self, pointer, quantity, owner)

    def continued(self, tag: str, start: int | None, quantity: int | None, owner: str) -> Page | None:
        """The page of query ``tag`` from result number ``start`` (1-based), as HL7 v3 asks; None as for ``more``.

        Where ``start`` or ``quantity`` is None, the last page of the query says it (ITI TF-2: Table O.2.4-1).
        """
        return asking.continued(self, tag, start, quantity, owner)

    def cancel(self, tag: str, owner: str) -> None:
        """Forget the results kept for a query; harmless if there are none (ITI TF-2: 3.21.4.3)."""
        self.database.write(lambda connection: candidates.forget(connection, owner, tag))

    def resolve(self, connection: Connection, patient_id: CX) -> Patient | None:
        """The patient that an XDS patient id names; None: unknown, subsumed, or its authority issues no XDS ids."""
        authority = self.domain.authority(patient_id.authority)
        if authority is None or not authority.issues_xds_ids:
            return None
        keys = store_records.current_keys(connection, Identifier(authority=authority, id=patient_id.id))
        if not keys:
            return None
        return Patient(key=keys[0], keys=keys, id=CX(patient_id.id, HD("", authority.oid, "ISO")))

    def together(self, connection: Connection, keys: Collection[PatientKey]) -> tuple[tuple[PatientKey, ...], ...]:
        """The keys of each patient to whom one of these belongs, the surviving one first, then those merged into it."""
        survivors = sorted(set(store_records.survivors(connection, keys).values()))
        return tuple((each, *store_records.subsumed_by(connection, each)) for each in survivors)

    def current(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        """The surviving id for each key."""
        named = store_records.named(connection, keys)
        merged = {survivor for _, _, survivor in named.values() if survivor}
        survivors = store_records.named(connection, merged) if merged else {}
        current = {key: survivors.get(each[2] or key, each) for key, each in named.items()}
        return {key: _xds_id(authority, id) for key, (authority, id, _) in current.items()}

    def apply(
        self,
        origin: Origin,
        identifiers: Iterable[Identifier],
        work: Callable[[Change], None],
        early: EarlyNames = frozenset,
        arrival: Arrival | None = None,
        asking: Asking = nothing_is_known,
    ) -> bytes:
        """Run one change that speaks of these ids, once; the answer to send. ``early`` gives names to lock at once.

        Nothing is left to do for an ``arrival`` that is registered already, in the same transaction. ``asking``
        says what ``work`` will ask the database first: it is asked together with whether the message is new.
        """
        named = tuple(identifiers)
        refuse_too_many(named)

        def once(change: Change) -> bytes:
            if met := change.locks.met:
                ask_ahead(change.connection, (receipts.asking_answered_before(change), *asking(change, met)))
            stored = receipts.answered_before(change)
            if stored is not None:
                return stored
            work(change)
            return origin.answer

        return self.transact(
            origin, named, once, early, lambda: origin.answer if arrival and arrival.is_registered else None
        )

    def transact(
        self,
        origin: Origin,
        identifiers: tuple[Identifier, ...],
        work: Callable[[Change], Answer],
        early: EarlyNames = frozenset,
        done: Callable[[], Answer | None] = lambda: None,
    ) -> Answer:
        """Run a change that is no message, so that nobody sends it again; ``early`` gives names to lock at once.

        ``done`` gives the answer where the transaction holds the change already.
        """
        at = self.clock()
        posted: list[bool] = []

        def transaction(connection: Connection, further: Names) -> Answer:
            if (answer := done()) is not None:
                return answer
            locks = self.locking(connection, identifiers, lambda: further | early())
            change = self._change(connection, origin, at, locks)
            result = work(change)
            self.follow(self, (change,))
            posted.append(self.outbox.post(change))
            return result

        result = until_locked(lambda further: self.database.write(lambda connection: transaction(connection, further)))
        if any(posted):
            self.outbox.wake()
        return result

    def _change(
        self, connection: Connection, origin: Origin, at: datetime, locks: Locks, write: Write = write_now
    ) -> Change:
        return Change(
            connection=connection,
            domain=self.domain,
            origin=origin,
            at=at,
            is_national_id=self.is_national_id,
            matching=self.matching,
            mode=self.mode,
            shadow=self.shadow,
            locks=locks,
            write=write,
        )


def _both(merges: Iterable[Merge]) -> tuple[Identifier, ...]:
    return tuple(identifier for each in merges for identifier in (each.surviving, each.subsumed))


def _xds_id(authority: str, id: str) -> CX:
    """The id in the form of XDS metadata (ITI TF-3: Table 4.2.3.1.7-2, CX)."""
    return CX(id, HD("", authority, "ISO"))
