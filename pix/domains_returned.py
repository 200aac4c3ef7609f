"""What Domains Returned: QPD-4 of ITI-9, QPD-8 of ITI-21 (ITI TF-2: 3.9.4.1.2.2, 3.21.4.1.2.4)."""

from hl7v2.message import Segment
from ihe.citations import Citation
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach
from pix.identification import assigning_authority, unknown_authority


def domains_returned(
    qpd: Segment, field: int, domain: AffinityDomain, citation: Citation
) -> tuple[tuple[AssigningAuthority, ...], tuple[Breach, ...]]:
    """The domains that are known here, and a breach at the repetition of each other; both empty if none is named."""
    known, breaches = [], []
    for count, repetition in enumerate(qpd.repetitions(field), 1):
        named = assigning_authority(repetition)
        authority = domain.authority(named)
        if authority is None:
            breaches.append(unknown_authority(domain, named, qpd.location(field, count), citation))
        else:
            known.append(authority)
    return tuple(known), tuple(breaches)
