"""What a client has submitted, as far as it can be read (ITI TF-2: 3.41; ITI TF-3: 4.2)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from urllib.parse import unquote

from lxml.etree import _Element

from affinity.client.responses import INCLUDE
from conformance.clients.steps import Judged
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from xds.document_requests import XDS_B
from xds.iti41 import ITI_41
from xds.model import AssociationType, Submission

DOCUMENT = f"{{{XDS_B}}}Document"


def submission(each: Judged) -> Submission | None:
    """The metadata; None: they cannot be read, and validators say why."""
    body = each.seen.read.body
    if body is None or each.name != "ITI-41":
        return None
    try:
        return ITI_41.decode(SOAPRequest(body, each.seen.read.parts)).metadata.submission
    except Rejected:
        return None


def documents(each: Judged) -> Mapping[str, bytes]:
    """The bytes of the documents, by the ids of their entries."""
    body = each.seen.read.body
    found = body.iter(DOCUMENT) if body is not None else ()
    return {element.get("id", ""): _content(element, each.seen.read.documents) for element in found}


def unique_ids(each: Judged) -> frozenset[str]:
    """The uniqueIds of the documents that are submitted."""
    described = submission(each)
    return frozenset(str(entry.unique_id) for entry in described.document_entries) if described else frozenset()


def set_id(each: Judged) -> str:
    """The uniqueId of the SubmissionSet."""
    described = submission(each)
    return str(described.submission_set.unique_id) if described else ""


def digests(each: Judged) -> frozenset[str]:
    """What the documents are, whatever they are called."""
    return frozenset(hashlib.sha256(content).hexdigest() for content in documents(each).values())


def replaced(each: Judged) -> tuple[str, ...]:
    """The entries that are replaced."""
    described = submission(each)
    made = described.associations if described else ()
    return tuple(str(one.target_object) for one in made if one.association_type is AssociationType.RPLC)


def _content(element: _Element, kept: Mapping[str, bytes]) -> bytes:
    include = element.find(INCLUDE)
    if include is not None:
        return kept.get(unquote(include.get("href", "").removeprefix("cid:")), b"")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error:
        return b""
