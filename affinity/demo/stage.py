"""Where the demonstration plays: a running node, and who of its domain takes part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from affinity.catalogue import PATHS
from affinity.client.hl7 import Route
from affinity.client.xds import Coding
from affinity.domain_model import LoadedDomain, Organization
from affinity.pki import DevelopmentPKI
from affinity.settings import Listen
from consent.policy import Mode
from ihe.datatypes import CX, HD, Code
from ihe.domain import AssigningAuthority
from ihe.transactions import Actor
from xua.authentication import XUAMode
from xua.people import DemoRole
from xua.sts import DevelopmentSTS

PREFERRED = {
    "classCode": "REPORTS",
    "typeCode": "11502-2",
    "formatCode": "urn:ihe:lab:xd-lab:2008",
    "confidentialityCode": "N",
    "healthcareFacilityTypeCode": "261904005",
    "practiceSettingCode": "394596001",
    "contentTypeCode": "15220000",
}
"""What a laboratory would say; a domain that has not agreed on it gets its own first code."""


Declare = Callable[[CX, DemoRole, str], int]
"""What a desk does: declares that a demo person treats a patient, and why; the number of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation that takes part: how its system names itself, and where its own patient ids come from."""

    route: Route
    authority: AssigningAuthority
    name: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A node that is up. ``ports`` are the real ones, by ``http``, ``https``, ``mllp`` and ``mllps``."""

    loaded: LoadedDomain
    listen: Listen
    ports: Mapping[str, int]
    pki: DevelopmentPKI
    sts: DevelopmentSTS
    mode: XUAMode
    audience: str
    declare: Declare

    @property
    def restricts(self) -> bool:
        """Claim that access rights decide here who sees what."""
        return self.loaded.access.mode is not Mode.OPEN and self.mode is not XUAMode.OFF

    @property
    def laboratory(self) -> Party:
        """Who announces the patient and submits the report."""
        return self._party("laboratory", self._local[-1])

    @property
    def hospital(self) -> Party:
        """Who looks for the patient and reads the report."""
        return self._party("hospital", self._local[0])

    @property
    def _authorities(self) -> tuple[AssigningAuthority, ...]:
        return self.loaded.affinity_domain.assigning_authorities

    @property
    def _local(self) -> list[AssigningAuthority]:
        found = [each for each in self._authorities if not each.national and each is not self.shared]
        return found or [self.shared]

    @property
    def shared(self) -> AssigningAuthority:
        """The first authority whose ids are XDS patient ids."""
        return next(each for each in self._authorities if each.issues_xds_ids)

    @property
    def national(self) -> AssigningAuthority | None:
        """The authority of national ids, if the domain has one."""
        return next((each for each in self._authorities if each.national), None)

    @property
    def host(self) -> str:
        """Where a client on this machine reaches the node."""
        return "127.0.0.1" if self.listen.host in ("0.0.0.0", "::") else self.listen.host

    def url(self, actor: Actor) -> str:
        """The plain endpoint of an actor."""
        return f"http://{self.host}:{self.ports['http']}{PATHS[actor]}"

    def coding(self, **preferred: str) -> Coding:
        """Codes that the domain knows, ``preferred`` by attribute above what a laboratory would say."""
        wanted = PREFERRED | preferred
        return Coding(
            class_code=self._code("classCode", wanted),
            type_code=self._code("typeCode", wanted),
            format_code=self._code("formatCode", wanted),
            confidentiality_code=self._code("confidentialityCode", wanted),
            healthcare_facility_type_code=self._code("healthcareFacilityTypeCode", wanted),
            practice_setting_code=self._code("practiceSettingCode", wanted),
            content_type_code=self._code("contentTypeCode", wanted),
        )

    def _code(self, attribute: str, wanted: Mapping[str, str]) -> Code:
        known = sorted(self.loaded.affinity_domain.codes.get(attribute, ()), key=lambda code: (code.code, code.scheme))
        fallback = known[0] if known else Code(wanted[attribute], "2.16.840.1.113883.6.1", wanted[attribute])
        return next((code for code in known if code.code == wanted[attribute]), fallback)

    def _party(self, kind: str, fallback: AssigningAuthority) -> Party:
        domain = self.loaded.affinity_domain
        found = next((each for each in self.loaded.organizations if each.kind == kind), None)
        if found is None:
            return Party(route=Route(), authority=fallback, name=f"Demo {kind}", oid=fallback.oid)
        authority = domain.authority(HD(found.facility)) or fallback
        route = Route(
            application=_application(found),
            facility=found.facility,
            receiving_application=domain.application,
            receiving_facility=domain.facility,
        )
        return Party(route=route, authority=authority, name=found.display.get("en", found.facility), oid=found.oid)


def _application(organization: Organization) -> str:
    return organization.applications[0].name if organization.applications else organization.facility
