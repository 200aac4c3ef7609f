"""Registry Stored Query [ITI-18] (ITI TF-2: 3.18)."""

from typing import Final

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.exchange import SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.adhoc_query import REQUEST, RESPONSE, AdhocQuery, queried_patients, reader
from xds.adhoc_query_response import Answer, encode, refuse
from xds.auditing import queried
from xds.registry_query import QueriedRegistry, handle
from xds.stored_queries import REGISTRY_STORED_QUERIES

ITI_18: Final[Transaction[SOAPRequest, AdhocQuery, Answer, QueriedRegistry, SOAPReply]] = Transaction(
    id="ITI-18",
    name="Registry Stored Query",
    citation=tf2("3.18"),
    initiator=Actor.DOCUMENT_CONSUMER,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_RegistryStoredQuery",
            action="urn:ihe:iti:2007:RegistryStoredQuery",
            request=REQUEST,
            reply_action="urn:ihe:iti:2007:RegistryStoredQueryResponse",
            reply=RESPONSE,
        ),
    ),
    decode=reader(REGISTRY_STORED_QUERIES),
    handle=handle,
    encode=encode,
    refuse=refuse,
    patients=queried_patients,
    audit=queried(tf2("3.18.5.1.2"), transaction_code("ITI-18", "Registry Stored Query")),
)
