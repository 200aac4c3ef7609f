"""What a simulator knows before a client comes: patients and documents that are there, and how they are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from ihe.datatypes import CX
from ihe.domain import AffinityDomain, AssigningAuthority


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A document that is registered, with its bytes."""

    unique_id: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``patient`` has an id ``elsewhere``, too; ``alone`` has no other; nobody has announced ``unknown``.

    ``crowd`` is the family name of ``crowd_size`` persons.
    """

    domain: AffinityDomain
    authority: AssigningAuthority
    other_authority: AssigningAuthority
    patient: CX
    elsewhere: CX
    alone: CX
    unknown: CX
    family: str
    given: str
    birth_date: str
    crowd: str
    crowd_size: int
    documents: tuple[Known, ...] = ()

    @property
    def words(self) -> Mapping[str, str]:
        """What a step may name in its ``ask``."""
        return {
            "patient": str(self.patient),
            "elsewhere": str(self.elsewhere),
            "alone": str(self.alone),
            "unknown": str(self.unknown),
            "authority": f"{self.authority.namespace_id} ({self.authority.oid})",
            "other_authority": f"{self.other_authority.namespace_id} ({self.other_authority.oid})",
            "family": self.family,
            "given": self.given,
            "birth_date": self.birth_date,
            "crowd": self.crowd,
            "crowd_size": str(self.crowd_size),
            "repository": self.domain.repository_unique_id,
            "document": self.documents[0].unique_id if self.documents else "(none)",
            "home": self.domain.home_community_id,
        }
