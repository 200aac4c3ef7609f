"""What is asked of a large index: questions about people who are in it, drawn as they are, so that skew is theirs.

Every record is as likely to be asked for as any other: a Schmit is asked for as often as there are Schmits. For common
names a family name, or a given name, of the ``COMMON`` commonest is drawn, again as often as it is borne.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection

from affinity.client.patients import Sought
from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import matricule, store_nationals, store_records
from pix.state import NationalId
from pix.store_records import Record

DRAWN = 10_000
"""Records that are drawn; all questions are about these."""
COMMON = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Records of the index, drawn at random."""

    records: tuple[Record, ...]
    nationals: Mapping[PatientKey, tuple[NationalId, ...]]
    domain: AffinityDomain

    def id(self, each: Record | NationalId) -> CX:
        """An id as it is sent."""
        authority = next(one for one in self.domain.assigning_authorities if one.oid == each.authority)
        return CX(each.id, HD(authority.namespace_id, authority.oid, "ISO"), each.type_code)

    def all_ids(self, each: Record) -> list[CX]:
        """A record's own id, and the national ones that it carries."""
        return [self.id(each), *map(self.id, self.nationals.get(each.key, ()))]

    @property
    def settled(self) -> tuple[Record, ...]:
        """Those of whom a feed finds nothing new: a variant's national id has wrong check digits, and it would."""
        return tuple(
            each
            for each in self.records
            if all(one.valid == matricule.is_valid(one.id) for one in self.nationals.get(each.key, ()))
        )

    def ids(self, count: int) -> list[Sought]:
        """Somebody by number."""
        return [Sought(id=self.id(each)) for each in self.records[:count]]

    def people(self, count: int) -> list[Sought]:
        """Somebody by name and birth date."""
        known = [each for each in self.records if each.demographics.birth_time]
        return [_sought(each, birth=True) for each in known[:count]]

    def beginnings(self, count: int) -> list[Sought]:
        """Somebody by the first four letters of the family name and the first three of the given name."""
        named = [_sought(each) for each in self.records]
        return [Sought(family=f"{each.family[:4]}*", given=f"{each.given[:3]}*") for each in named][:count]

    def common_families(self, count: int) -> list[Sought]:
        """A common family name alone."""
        return [Sought(family=each) for each in self._common("family", count)]

    def common_names(self, count: int) -> list[Sought]:
        """A common family name and a common given name, drawn independently."""
        pairs = zip(self._common("family", count), reversed(self._common("given", count)), strict=True)
        return [Sought(family=family, given=given) for family, given in pairs]

    def _common(self, attribute: str, count: int) -> list[str]:
        borne = [getattr(each.demographics.names[0], attribute) for each in self.records]
        common = {name for name, _ in Counter(borne).most_common(COMMON)}
        found = [name for name in borne if name in common]
        return (found * (count // len(found) + 1))[:count]


def draw(connection: Connection, domain: AffinityDomain, seed: int = 1) -> Sample:
    """Draw records, each as likely as any other."""
    keys: Sequence[int] = range(1, store_records.highest(connection) + 1)
    drawn = Random(seed).sample(keys, min(DRAWN, len(keys)))
    found = store_records.by_keys(connection, [PatientKey(each) for each in drawn])
    return Sample(
        records=tuple(found[PatientKey(each)] for each in drawn),
        nationals=store_nationals.held(connection, found),
        domain=domain,
    )


def _sought(each: Record, *, birth: bool = False) -> Sought:
    name = each.demographics.names[0]
    return Sought(
        family=name.family, given=name.given, birth_date=(each.demographics.birth_time or "")[:8] if birth else ""
    )
