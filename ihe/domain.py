"""The XDS Affinity Domain as profiles see it (ITI TF-1: 10.4.8, Appendix L); ``affinity`` loads it from a directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ihe.datatypes import HD, Code

NO_CODES: Mapping[str, frozenset[Code]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigningAuthority:
    """A patient identifier domain. ``national`` marks a domain shared by all sources (one person, one id).

    ``issues_xds_ids`` allows its ids as XDS patient ids. ``sources`` names the sending facilities and applications
    (``application|facility``, ``*`` for any) that may feed it. ``aliases`` are other names by which sources call it,
    such as a French hospital's establishment number with the type N.
    """

    namespace_id: str
    oid: str
    display: Mapping[str, str] = field(default_factory=dict)
    issues_xds_ids: bool = False
    national: bool = False
    sources: tuple[str, ...] = ("*",)
    aliases: tuple[HD, ...] = ()

    @property
    def hd(self) -> HD:
        """The authority as HL7 v2 spells it in answers: namespace id, OID and ISO."""
        return HD(self.namespace_id, self.oid, "ISO")


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinityDomain:
    """What one affinity domain has agreed on.

    ``codes`` maps an attribute (``classCode``, ``formatCode``, ``mimeType``, ...) to the codes that it may take; an
    attribute that is absent from the mapping is not restricted.
    """

    name: str
    home_community_id: str
    repository_unique_id: str
    assigning_authorities: tuple[AssigningAuthority, ...]
    codes: Mapping[str, frozenset[Code]] = field(default_factory=lambda: NO_CODES)
    application: str = "AFFINITY"
    facility: str = "AFFINITY"
    max_results: int = 2000

    def authority(self, hd: HD) -> AssigningAuthority | None:
        """Find the authority that an HD names by OID, or by namespace id; both, if both are given, must agree.

        An alias is a name, too, if it is sent exactly as it is configured.
        """
        for known in self.assigning_authorities:
            if hd in known.aliases:
                return known
            named = hd.namespace_id in ("", known.namespace_id)
            if hd.universal_id and hd.universal_id == known.oid and hd.universal_id_type == "ISO" and named:
                return known
            if not hd.universal_id and hd.namespace_id == known.namespace_id:
                return known
        return None
