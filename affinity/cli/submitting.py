"""What ``affinity submit`` does: describe, pack, send, tell."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from affinity.cli.options import Identity, Security
from affinity.cli.show import Advance, print_json, print_line, print_table, watched
from affinity.cli.soap_targets import header, soap_client
from affinity.cli.targets import LocalNode
from affinity.cli.verbs import ExitCode, Output, wrong_use
from affinity.client import xds
from affinity.client.bindings import soap_binding
from affinity.client.codebook import CodeBook
from affinity.client.describing import Description, describe
from affinity.client.responses import Verdict, verdict
from affinity.client.spelling import fields
from affinity.domain import load
from ihe.domain import AffinityDomain
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from soap.client import file_part
from xds.attribute_tables import SUBMISSION_SET
from xds.iti41 import ITI_41
from xds.model import DocumentEntry, Submission, SubmissionSet

REPOSITORY_PATH = "/xds/repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be submitted, as it was typed. ``said`` is spelled by the names of the standard."""

    files: tuple[Path, ...]
    said: Mapping[str, Any]
    said_of_set: Mapping[str, Any]
    metadata: Path | None
    replaces: str | None
    repository: str | None
    domain: str | None
    data: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of it."""

    submission: Submission
    descriptions: tuple[Description, ...]
    verdict: Verdict


def submit_documents(order: Order, security: Security, identity: Identity) -> Submitted:
    """Describe the files and send them. Stopped where the description is incomplete."""
    node = LocalNode.find(order.data, order.domain)
    agreed = load(node.domain).affinity_domain
    # Elsewhere nothing is assumed unless the domain is named: its codes might mean nothing there.
    assume = order.repository is None or order.domain is not None
    try:
        descriptions, packing_slip = _described(order, agreed, assume=assume)
    except ValueError as error:
        raise wrong_use(str(error)) from error
    submission = xds.assemble(packing_slip, tuple(each.entry for each in descriptions), order.replaces)
    url = order.repository or node.url(REPOSITORY_PATH)
    answer = _send(submission, descriptions, url, security, header(identity, security, node, url))
    return Submitted(submission=submission, descriptions=descriptions, verdict=answer)


def show(submitted: Submitted, output: Output) -> ExitCode:
    """The verdict, the ids under which documents can be retrieved, what was assumed, every error."""
    (_print_json if output.as_json else _print)(submitted)
    return ExitCode.DONE if submitted.verdict.succeeded else ExitCode.REFUSED


def _described(order: Order, domain: AffinityDomain, *, assume: bool) -> tuple[tuple[Description, ...], SubmissionSet]:
    codes = CodeBook(domain.codes if assume else {})
    written = tomllib.loads(order.metadata.read_text(encoding="utf-8")) if order.metadata else {}
    of_set = {**written.pop("submissionSet", {}), **{name: each for name, each in order.said_of_set.items() if each}}
    said = {**written, **order.said}
    described = tuple(
        describe(file, number, said, codes, assume=assume) for number, file in enumerate(order.files, start=1)
    )
    return described, _packing_slip(described[0].entry, of_set, domain, codes)


def _packing_slip(
    entry: DocumentEntry, said: Mapping[str, Any], domain: AffinityDomain, codes: CodeBook
) -> SubmissionSet:
    """The SubmissionSet: what is said of it, else what its first document says."""
    slip = SubmissionSet(
        entry_uuid=xds.SYMBOLIC_SET,
        submission_time=datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
        title=entry.title,
        author=entry.author,
        content_type_code=codes.assume("contentTypeCode"),
        patient_id=entry.patient_id,
        source_id=domain.home_community_id.removeprefix("urn:oid:"),
        unique_id=UniqueId(new_oid()),
    )
    slip = replace(slip, **fields(SUBMISSION_SET, said, codes))
    if slip.content_type_code is None:
        raise ValueError("contentTypeCode must be said: --content-type-code CODE^^SCHEME^DISPLAY")
    return slip


def _send(
    submission: Submission, descriptions: tuple[Description, ...], url: str, security: Security, assertion: bytes
) -> Verdict:
    ids = [f"{number}.{new_oid()}@affinity" for number in range(1, len(descriptions) + 1)]
    body = xds.provide_and_register(submission, ids)
    plain = [_part(each, id) for each, id in zip(descriptions, ids, strict=True)]
    with watched(f"{len(plain)} documents", sum(part.size for part in plain)) as advance:
        parts = [replace(part, chunks=partial(_counted, part, advance)) for part in plain]
        answer = soap_client(url, security).call(soap_binding(ITI_41), [body], security=assertion, parts=parts)
    return verdict(answer.body)


def _part(description: Description, content_id: str) -> OutgoingPart:
    return file_part(description.file, content_id, description.entry.mime_type or "application/octet-stream")


def _counted(part: OutgoingPart, advance: Advance) -> Iterator[bytes]:
    for chunk in part.chunks():
        yield chunk
        advance(len(chunk))


def _print(submitted: Submitted) -> None:
    told, packed = submitted.verdict, submitted.submission.submission_set
    print_line(f"{told.status}: submission set {packed.unique_id}", "" if told.succeeded else "red")
    rows = ((str(each.entry.unique_id), each.entry.mime_type or "", str(each.file)) for each in submitted.descriptions)
    if told.succeeded:
        print_table(("uniqueId", "type", "file"), rows)
    for error in told.errors:
        print_line(str(error), "red" if error.severity == "E" else "yellow")
    assumed = dict.fromkeys(name for each in submitted.descriptions for name in each.assumed)
    if assumed:
        print_line(f"Assumed from the domain, because nobody said it: {', '.join(assumed)}", "dim")


def _print_json(submitted: Submitted) -> None:
    print_json(
        {
            "status": submitted.verdict.status,
            "submissionSet": submitted.submission.submission_set.unique_id,
            "documents": [
                {"file": str(each.file), "uniqueId": each.entry.unique_id, "assumed": list(each.assumed)}
                for each in submitted.descriptions
            ],
            "errors": [asdict(each) for each in submitted.verdict.errors],
        }
    )
