"""What ``affinity query`` does."""

from dataclasses import asdict, dataclass
from pathlib import Path

from affinity.cli.options import Identity, Security
from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.soap_targets import header, soap_client
from affinity.cli.targets import LocalNode
from affinity.cli.verbs import ExitCode, Output, wrong_use
from affinity.client import xds
from affinity.client.bindings import soap_binding
from affinity.client.metadata import plain, row
from affinity.client.patients import Remark
from affinity.client.responses import Verdict, object_refs, objects, verdict
from affinity.client.stored_queries import Slots, find_query, slots
from xds.iti18 import ITI_18
from xds.iti51 import ITI_51
from xds.model import RegistryObject
from xds.stored_queries import MULTI_PATIENT_STORED_QUERIES
from xds.stored_query import StoredQuery

REGISTRY_PATH = "/xds/registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, as it was typed."""

    name: str
    patient_id: str | None
    statuses: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    object_ref: bool
    registry: str | None
    domain: str | None
    data: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was answered; ``remarks`` are the registry's errors and what could not be read."""

    verdict: Verdict
    objects: tuple[RegistryObject, ...]
    refs: tuple[str, ...]
    remarks: tuple[Remark, ...]


def ask(question: Question, security: Security, identity: Identity) -> Answered:
    """Send the query."""
    chosen, asked = _read(question)
    node = LocalNode.find(question.data, question.domain)
    url = question.registry or node.url(REGISTRY_PATH)
    body = xds.stored_query(chosen.id, asked, "ObjectRef" if question.object_ref else "LeafClass")
    transaction = ITI_51 if chosen in MULTI_PATIENT_STORED_QUERIES else ITI_18
    service = soap_client(url, security)
    answer = service.call(soap_binding(transaction), [body], security=header(identity, security, node, url)).body
    told, (found, unreadable) = verdict(answer), objects(answer)
    refs = object_refs(answer) if question.object_ref else ()
    return Answered(
        verdict=told,
        objects=() if question.object_ref else found,
        refs=refs,
        remarks=told.errors if question.object_ref else (*told.errors, *unreadable),
    )


def show(answered: Answered, output: Output) -> ExitCode:
    """A table, or everything as JSON; errors beside what was found."""
    if output.as_json:
        print_json(
            {
                "status": answered.verdict.status,
                "objects": [plain(each) for each in answered.objects],
                "refs": list(answered.refs),
                "errors": [asdict(each) for each in answered.remarks],
            }
        )
    else:
        _print(answered)
    return ExitCode.DONE if answered.verdict.succeeded else ExitCode.REFUSED


def _read(question: Question) -> tuple[StoredQuery, Slots]:
    try:
        chosen = find_query(question.name)
        return chosen, slots(chosen, question.patient_id, question.statuses, question.parameters)
    except ValueError as error:
        raise wrong_use(str(error)) from error


def _print(answered: Answered) -> None:
    if answered.objects:
        rows = [row(each) for each in answered.objects]
        print_table(("object", "title", "type", "date (UTC)", "uniqueId", "status"), rows)
    for ref in answered.refs:
        print_line(ref)
    for remark in answered.remarks:
        print_line(str(remark), "red" if remark.severity == "E" else "yellow")
    if answered.verdict.succeeded and not answered.objects and not answered.refs:
        print_line("Nothing is there.")
