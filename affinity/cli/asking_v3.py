"""The questions of ``pix`` and ``pdq`` over SOAP (ITI TF-2: 3.45, 3.47). Authorities are OIDs there."""

from collections.abc import Iterable

from affinity.cli.asking import Consumer
from affinity.cli.soap_targets import header, soap_client
from affinity.cli.verbs import wrong_use
from affinity.client import v3, v3_answers
from affinity.client.bindings import soap_binding
from affinity.client.patients import Found, Sought
from ihe.datatypes import CX, HD
from ihe.identifiers import is_oid
from ihe.transactions import SOAPBinding
from pix.iti45 import ITI_45
from pix.iti47 import ITI_47


def ask_identifiers(consumer: Consumer, patient: CX, domains: tuple[HD, ...]) -> Found:
    """ITI-45."""
    _must_be_oids((patient.authority, *domains))
    return _call(consumer, soap_binding(ITI_45), v3.identifiers_query(patient, domains, _devices(consumer)))


def ask_demographics(consumer: Consumer, sought: Sought, domains: tuple[HD, ...], limit: int | None) -> Found:
    """ITI-47."""
    _must_be_oids((*domains, *((sought.id.authority,) if sought.id else ())))
    return _call(consumer, soap_binding(ITI_47), v3.demographics_query(sought, _devices(consumer), domains, limit))


def _call(consumer: Consumer, binding: SOAPBinding, body: bytes) -> Found:
    url = consumer.line.v3 or ""
    service = soap_client(url, consumer.security)
    security = header(consumer.identity, consumer.security, consumer.node, url)
    return v3_answers.found(service.call(binding, [body], security=security).body)


def _devices(consumer: Consumer) -> v3.Devices:
    device = consumer.line.device
    if device is not None and not is_oid(device):
        raise wrong_use(f"--device wants an OID, not {device!r}")
    return v3.Devices(receiver=device or v3.OURSELVES)


def _must_be_oids(authorities: Iterable[HD]) -> None:
    for each in authorities:
        if not is_oid(each.universal_id):
            raise wrong_use(f"HL7 v3 knows assigning authorities by OID alone: {each.namespace_id!r} has none here")
