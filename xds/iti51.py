"""Multi-Patient Stored Query [ITI-51] (ITI TF-2: 3.51). The PatientId Only Option is supported (3.51.4.1.3)."""

from typing import Final

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.exchange import SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.adhoc_query import REQUEST, RESPONSE, AdhocQuery, queried_patients, reader
from xds.adhoc_query_response import Answer, encode, refuse
from xds.auditing import queried
from xds.registry_query import QueriedRegistry, handle
from xds.stored_queries import MULTI_PATIENT_STORED_QUERIES

ITI_51: Final[Transaction[SOAPRequest, AdhocQuery, Answer, QueriedRegistry, SOAPReply]] = Transaction(
    id="ITI-51",
    name="Multi-Patient Stored Query",
    citation=tf2("3.51"),
    initiator=Actor.DOCUMENT_CONSUMER,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_MultiPatientStoredQuery",
            action="urn:ihe:iti:2009:MultiPatientStoredQuery",
            request=REQUEST,
            reply_action="urn:ihe:iti:2009:MultiPatientStoredQueryResponse",
            reply=RESPONSE,
        ),
    ),
    decode=reader(MULTI_PATIENT_STORED_QUERIES),
    handle=handle,
    encode=encode,
    refuse=refuse,
    patients=queried_patients,
    audit=queried(tf2("3.51.5.1.2"), transaction_code("ITI-51", "Multi-Patient Stored Query")),
)
