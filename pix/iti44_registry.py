"""Patient Identity Feed HL7 V3 at the Document Registry [ITI-44] (ITI TF-2: 3.44.4.1.4, 3.44.4.2.4).

The registry resolves patient ids by the PIX Manager's index, so that what is fed here is fed there, but for the ids of
domains that issue no XDS patient ids.
"""

from dataclasses import replace
from typing import Protocol

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.domain import AffinityDomain
from ihe.exchange import Exchange
from ihe.transactions import Actor, Transaction
from pix.iti44 import (
    INTERACTIONS,
    RULES,
    DuplicatesResolved,
    PatientRecord,
    decode,
    encode,
    merges,
    origin,
    refuse,
)
from pix.manager import PatientIndex
from pix.model import Feed, Origin
from pix.v3_answers import ACCEPT_ACKNOWLEDGEMENT
from pix.v3_auditing import fed
from pix.v3_registrations import FedIdentifiers
from pix.v3_wrappers import binding, party


class Registry(Protocol):
    """What the feed needs of the Document Registry: the index that knows its patients."""

    @property
    def patients(self) -> PatientIndex:
        """The index."""


def handle(request: PatientRecord | DuplicatesResolved, registry: Registry, exchange: Exchange) -> bytes:
    """Apply the change to XDS patient ids and return the stored acknowledgement.

    "Patient identifiers of other patient identification domains, if present in a received message, shall be ignored."
    A message without any other is refused, because nobody would be known by it.
    """
    index = registry.patients
    sharing = _sharing(index.domain)
    reader = FedIdentifiers(sharing, str(party(request.body, "sender")), exchange.forgive)
    if isinstance(request, DuplicatesResolved):
        return index.merge(merges(request, reader), _origin(request, exchange, reader))
    shared = tuple(each for each in request.ids if sharing.authority(each.hd))
    known = reader.read(shared or request.ids)
    feed = Feed(identifiers=known, demographics=request.demographics, sent=request.sent)
    return index.register(feed, _origin(request, exchange, reader))


def _sharing(domain: AffinityDomain) -> AffinityDomain:
    """The domain as the registry sees it: the authorities "designated by the Affinity Domain for document sharing"."""
    issuers = tuple(each for each in domain.assigning_authorities if each.issues_xds_ids)
    return replace(domain, assigning_authorities=issuers)


def _origin(request: PatientRecord | DuplicatesResolved, exchange: Exchange, reader: FedIdentifiers) -> Origin:
    """A message that was sent to the registry may be sent to the PIX Manager as well, where it says more."""
    sent = origin(request.body, exchange, reader.warnings)
    return replace(sent, message_id=f"{sent.message_id} to the Document Registry")


ITI_44_REGISTRY = Transaction(
    id="ITI-44",
    name="Patient Identity Feed HL7 V3",
    citation=tf2("3.44"),
    initiator=Actor.PATIENT_IDENTITY_SOURCE,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=tuple(binding("DocumentRegistry", each, ACCEPT_ACKNOWLEDGEMENT) for each in INTERACTIONS),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=fed(tf2("3.44.5.1.3"), transaction_code("ITI-44", "Patient Identity Feed")),
    rules=RULES,
)
