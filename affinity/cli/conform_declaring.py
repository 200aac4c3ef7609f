"""What ``affinity conform init`` writes: what a node on this machine claims, and how it is reached."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affinity import settings
from affinity.catalogue import PATHS
from affinity.cli.targets import LocalNode
from affinity.cli.verbs import wrong_use
from affinity.client.codebook import PREFERRED, CodeBook
from affinity.client.v3 import OURSELVES
from ihe.datatypes import HD
from ihe.domain import AffinityDomain
from ihe.transactions import Actor

OPTIONS: Mapping[Actor, tuple[str, ...]] = {
    Actor.DOCUMENT_REGISTRY: (
        "Document Metadata Update",
        "Remove Metadata",
        "Multi-Patient Query",
        "On-Demand Documents",
        "Reference ID",
        "Patient Identity Feed",
        "Patient Identity Feed HL7v3",
    ),
    Actor.DOCUMENT_REPOSITORY: ("Remove Documents",),
    Actor.PIX_MANAGER: ("PIXv2", "PIXv3", "PAM", "Update Notification", "Patient Identity Merge"),
    Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: ("PDQv2", "PDQv3", "Continuation", "Visit Query"),
    Actor.PATIENT_DEMOGRAPHICS_CONSUMER: ("Merge", "Link/Unlink", "Acknowledgement Support"),
    Actor.PATIENT_ENCOUNTER_CONSUMER: (
        "Inpatient/Outpatient Encounter Management",
        "Pending Event Management",
        "Advanced Encounter Management",
        "Temporary Patient Transfers Tracking",
        "Historic Movement Management",
        "Maintain Demographics",
        "Acknowledgement Support",
    ),
}
"""What Affinity claims beside the actors themselves."""
SECURE = ("XUA", "Secure Node")
"""What each actor claims beside them over TLS, with assertions."""
SEVERAL = 3
"""Codes of an attribute that are declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How the node is reached; ``pki`` None: without TLS."""

    web: str
    mllp: str
    pki: Path | None = None


def ways(node: LocalNode, data: Path | None, *, secured: bool) -> Ways:
    """How a node on this machine is reached: by its plain ports, or by those with TLS."""
    return _secured(node, data) if secured else Ways(web=node.url(""), mllp=node.mllp())


def _secured(node: LocalNode, data: Path | None) -> Ways:
    """The ports with TLS, under the name that the development certificate has."""
    if "https" not in node.ports or "mllps" not in node.ports:
        raise wrong_use("the node on this machine has no port with TLS")
    pki = (settings.load(None, {"data": data} if data else {}).data / "pki").resolve()
    web, mllp = (f"localhost:{node.ports[name]}" for name in ("https", "mllps"))
    return Ways(web=f"https://{web}", mllp=mllp, pki=pki)


def declaration(ways: Ways, domain: AffinityDomain) -> Iterator[str]:
    """The lines of the file."""
    yield "# A system under test. `affinity conform run` asks it what it claims here, and nothing else."
    yield f"name = {_text(f'Affinity, domain {domain.name}')}"
    yield from _patients(domain)
    yield from _trust(ways, domain)
    for actor, options in OPTIONS.items():
        yield f"\n[actors.{_text(actor)}]"
        if actor in PATHS:
            yield f"url = {_text(ways.web + PATHS[actor])}"
        if actor is not Actor.DOCUMENT_REPOSITORY:
            yield f"mllp = {_text(ways.mllp)}"
        if actor is Actor.DOCUMENT_REPOSITORY:
            yield f"unique_id = {_text(domain.repository_unique_id)}"
        yield f"options = {json.dumps([*options, *SECURE] if ways.pki else options)}"
    yield "\n[hl7v3]"
    yield "# Devices: the harness, and the system."
    yield f"sender = {_text(OURSELVES)}"
    yield f"receiver = {_text(domain.home_community_id.removeprefix('urn:oid:'))}"
    yield "\n[codes]"
    yield "# Codes that the system takes; where there is a second one, queries by code are told apart."
    for attribute in (*PREFERRED, "eventCodeList", "codeList"):
        if spelled := _codes(CodeBook(domain.codes), attribute, domain):
            yield f"{attribute} = {json.dumps(spelled)}"


def _trust(ways: Ways, domain: AffinityDomain) -> Iterator[str]:
    if ways.pki is None:
        return
    yield "\n[trust]"
    files = {"authorities": "ca.crt.pem", "certificate": "client.crt.pem", "key": "client.key.pem"}
    yield from (f"{name} = {_text(str(ways.pki / file))}" for name, file in files.items())
    yield "\n[tokens]"
    yield "# Where each call gets the assertion that says who asks."
    yield f"sts = {_text(ways.web + PATHS[Actor.X_ASSERTION_PROVIDER])}"
    yield f"audience = {_text(domain.home_community_id)}"
    yield "defects = true"


def _patients(domain: AffinityDomain) -> Iterator[str]:
    issuing = [each.hd for each in domain.assigning_authorities if each.issues_xds_ids]
    yield "\n[patients]"
    yield "# Where ids of new patients are invented: the harness announces them to the system."
    yield f"domain = {_text(_authority(issuing[0]))}"
    if len(issuing) > 1:
        yield f"second_domain = {_text(_authority(issuing[1]))}"


def _codes(book: CodeBook, attribute: str, domain: AffinityDomain) -> list[str]:
    likely = book.assume(attribute)
    rest = sorted(domain.codes.get(attribute, ()), key=lambda each: (each.scheme, each.code))
    chosen = [likely, *(each for each in rest if each != likely)] if likely else []
    return [
        each.code if attribute == "languageCode" else f"{each.code}^^{each.scheme}^{each.display}"
        for each in chosen[:SEVERAL]
        if each
    ]


def _authority(authority: HD) -> str:
    return "&".join((authority.namespace_id, authority.universal_id, authority.universal_id_type))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
