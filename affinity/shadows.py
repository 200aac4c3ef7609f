"""What a trial of other weights found so far: ``affinity pix shadow``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from affinity.domain import load
from affinity.offline import regardless
from affinity.settings import Settings
from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import store_records, store_shadow
from pix.store_shadow import Difference


class After(Enum):
    """What becomes of the differences once they are told."""

    KEEP = "keep"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Pairs by outcome and by the one on trial, and the newest of each kind with the ids of both records."""

    counts: Mapping[tuple[str, str], int]
    examples: tuple[tuple[str, str, Difference], ...]
    cleared: int


def report(settings: Settings, most: int, after: After) -> Report:
    """Look, with at most ``most`` examples of each kind; a server may be at work meanwhile."""
    domain = load(settings.domain).affinity_domain
    with regardless(settings) as database:
        found = database.read(lambda connection: _report(connection, domain, most))
        if after is After.KEEP:
            return found
        cleared = database.write(store_shadow.clear)
        return Report(counts=found.counts, examples=found.examples, cleared=cleared)


def _report(connection: Connection, domain: AffinityDomain, most: int) -> Report:
    counts = store_shadow.counts(connection)
    found = [each for kind in counts for each in store_shadow.latest(connection, *kind, most)]
    names = names_of(connection, domain, {key for each in found for key in each.pair})
    examples = tuple((names[each.pair[0]], names[each.pair[1]], each) for each in found)
    return Report(counts=counts, examples=examples, cleared=0)


def names_of(connection: Connection, domain: AffinityDomain, keys: set[PatientKey]) -> dict[PatientKey, str]:
    """Records as people and messages name them: ``id^^^NAMESPACE``."""
    known = {each.oid: each.namespace_id for each in domain.assigning_authorities}
    found = store_records.by_keys(connection, keys)
    return {key: f"{each.id}^^^{known.get(each.authority, each.authority)}" for key, each in found.items()}
