"""The eyes of a request: what the decision says of each patient, put together as what the registry keeps to."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from sqlalchemy import Connection, select

from consent import store
from consent.case import Case, Standing
from consent.decision import stand
from consent.events import instant
from consent.model import Party, parties
from consent.policy import Policy
from consent.tables import IN_FORCE, emergency, relationship
from ihe.access import Admission, Authorship, Hidden, Rights, Sight, Window
from ihe.exchange import Exchange
from ihe.identifiers import PatientKey

Together = Callable[[Connection, Collection[PatientKey]], Sequence[tuple[PatientKey, ...]]]
"""The ids of each patient to whom one of these belongs, merged ones included; the index knows."""


@dataclass
class Eyes:
    """One request's ``ihe.access.Viewer``. What is once known of a patient holds until the transaction ends."""

    policy: Policy
    exchange: Exchange
    together: Together
    standings: dict[tuple[PatientKey, ...], Standing] = field(default_factory=dict)
    looked: bool = False

    def anew(self) -> "Eyes":
        """The same eyes, which know of nobody."""
        return replace(self, standings={}, looked=False)

    def sight(self, connection: Connection, keys: Collection[PatientKey]) -> Sight:
        """What is seen of these patients, and of those before."""
        self._look(connection, keys)
        windows: dict[Rights, tuple[set[PatientKey], set[Hidden]]] = {}
        for ids, standing in self.standings.items():
            for grant in standing.grants:
                shown, hidden = windows.setdefault(grant.rights, (set(), set()))
                shown.update(ids)
                hidden.update(product(ids, grant.hidden))
        return Sight(
            windows=tuple(
                Window(rights=rights, keys=frozenset(shown), hidden=frozenset(hidden))
                for rights, (shown, hidden) in sorted(windows.items(), key=lambda each: each[0].name)
            ),
            authorship=self._authorship(),
        )

    def _authorship(self) -> Authorship | None:
        own = [(ids, each) for ids, each in self.standings.items() if each.author]
        if not own:
            return None
        return Authorship(
            id=own[0][1].author or "",
            keys=frozenset(key for ids, _ in own for key in ids),
            hidden=frozenset(pair for ids, each in own for pair in product(ids, each.hidden_from_author)),
        )

    def related(self, connection: Connection, most: int) -> Collection[PatientKey]:
        """The patients with whom the person, or their organisation, has to do."""
        known = sorted(parties(self.exchange.principal)) if self.exchange.principal else []
        found = list(_related(connection, known, instant(self.exchange.received_at), most + 1))
        return tuple(key for ids in self.together(connection, found) for key in ids)

    def admission(self, connection: Connection, keys: Collection[PatientKey]) -> Admission:
        """What may be added to the record of the patient who has these ids."""
        self._look(connection, keys)
        found = [each for ids, each in self.standings.items() if set(ids) & set(keys)]
        return Admission(categories={name: kinds for each in found for name, kinds in each.adds})

    def _look(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """Learn of patients of whom nothing is known; the first time also of none, so that it takes as long."""
        known = {key for ids in self.standings for key in ids}
        new = set(keys) - known
        if not new and self.looked:
            return
        self.looked = True
        groups = self.together(connection, new)
        facts = store.facts(connection, {key for ids in groups for key in ids})
        for ids in groups:
            case = Case(
                policy=self.policy,
                principal=self.exchange.principal,
                facts=facts.of(ids),
                now=self.exchange.received_at,
            )
            self.standings[ids] = stand(case)


def _related(connection: Connection, known: list[Party], now: str, most: int) -> Iterator[PatientKey]:
    related = select(relationship.c.patient_key).where(relationship.c.party.in_(known), IN_FORCE)
    opened = select(emergency.c.patient_key).where(emergency.c.party.in_(known), emergency.c.until > now)
    both = related.union(opened).subquery()
    query = select(both.c.patient_key).order_by(both.c.patient_key).limit(most)
    return (PatientKey(key) for (key,) in connection.execute(query))
