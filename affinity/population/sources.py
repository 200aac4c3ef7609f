"""Who keeps records: the hospitals and laboratories of a domain, each with its own number and its own carelessness."""

from dataclasses import dataclass
from functools import cache

from affinity.domain import load
from affinity.domain_model import LoadedDomain
from ihe.datatypes import HD
from ihe.domain import AssigningAuthority


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a source keeps its records; every number is the part of its records to which it applies."""

    known: float
    """Of all persons."""
    slips: float
    matricule: float
    address: float
    phone: float
    married_name: float
    """Of married women."""
    duplicates: float = 0.01
    overlays: float = 0.0005
    writes_capitals: bool = False


CAREFUL = Habits(known=0.45, slips=0.04, matricule=0.95, address=0.97, phone=0.85, married_name=0.35)
ORDINARY = Habits(known=0.35, slips=0.08, matricule=0.88, address=0.92, phone=0.75, married_name=0.5, duplicates=0.02)
HASTY = Habits(
    known=0.2, slips=0.15, matricule=0.75, address=0.8, phone=0.6, married_name=0.5, duplicates=0.03, overlays=0.002
)
LABORATORY = Habits(
    known=0.35, slips=0.1, matricule=0.8, address=0.75, phone=0.4, married_name=0.4, writes_capitals=True
)
SMALL_LABORATORY = Habits(
    known=0.2, slips=0.12, matricule=0.55, address=0.6, phone=0.5, married_name=0.4, duplicates=0.02, overlays=0.001
)
HABITS = (CAREFUL, ORDINARY, HASTY, LABORATORY, SMALL_LABORATORY)
"""In the order of the demo domain's organisations; those of a larger domain begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One system of one organisation; ``name`` is its ``application|facility``."""

    name: str
    kind: str
    authority: AssigningAuthority
    habits: Habits

    @property
    def is_hospital(self) -> bool:
        """Claim that children may be born there."""
        return self.kind == "hospital"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources of a domain, and the authority of its national ids if it has one."""

    systems: tuple[Source, ...]
    national: AssigningAuthority | None


def sources_of(loaded: LoadedDomain) -> Sources:
    """Every organisation that has an identifier domain of its own. Raises ValueError if there is none."""
    authorities = loaded.affinity_domain
    systems: list[Source] = []
    for organization in loaded.organizations:
        authority = authorities.authority(HD(organization.facility))
        if authority is not None and organization.applications:
            name = f"{organization.applications[0].name}|{organization.facility}"
            habits = HABITS[len(systems) % len(HABITS)]
            systems.append(Source(name=name, kind=organization.kind, authority=authority, habits=habits))
    if not systems:
        raise ValueError("no organisation of the domain has an application and an authority of its own name")
    national = next((each for each in authorities.assigning_authorities if each.national), None)
    return Sources(systems=tuple(systems), national=national)


@cache
def demo_sources() -> Sources:
    """Those of the demo domain."""
    return sources_of(load("demo"))
