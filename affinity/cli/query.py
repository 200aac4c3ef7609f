"""``affinity query``: which documents are there (ITI-18, and ITI-51 for several patients)."""

from typing import Annotated

import typer

from affinity.cli.options import DomainName, Identity, Security, Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity query --patient-id '4711^^^&2.25.99.1&ISO'
      all approved documents of a patient (FindDocuments) at the node on this machine

  affinity query --patient-id '4711^^^&2.25.99.1&ISO' --status Approved --status Deprecated \
      --param 'XDSDocumentEntryCreationTimeFrom=2026' --param 'XDSDocumentEntryTypeCode=11502-2^^2.16.840.1.113883.6.1'
      narrower; a parameter given twice means "or"

  affinity query --query GetSubmissionSetAndContents --param 'XDSSubmissionSetUniqueId=2.25.17' --json
      everything that was submitted together, with all metadata

  affinity query --patient-id '4711^^^&2.25.99.1&ISO' --object-ref \
      --registry https://xds.example.org/xds/registry --tls-ca ca.pem
      only the entryUUIDs, from another registry

Values are quoted as the standard wants them; one that begins with a quote or a parenthesis is taken as it stands,
and such a one given twice means "and". Nothing found is an empty list and exit code 0."""

RegistryURL = Annotated[
    str | None, typer.Option("--registry", help="URL of the registry; default: the node on this machine.")
]
PatientId = Annotated[str | None, typer.Option(help="The patient: id^^^&oid&ISO.")]
Status = Annotated[list[str] | None, typer.Option(help="Approved (default) or Deprecated; repeatable.")]
Query = Annotated[str, typer.Option("--query", help="Name of a stored query, or its urn:uuid.")]
Param = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter; repeatable.")]
ObjectRef = Annotated[bool, typer.Option("--object-ref", help="Ask for ids alone.")]


@verb
def query(
    security: Security,
    identity: Identity,
    output: Output,
    patient_id: PatientId = None,
    status: Status = None,
    query: Query = "FindDocuments",
    param: Param = None,
    object_ref: ObjectRef = False,
    registry: RegistryURL = None,
    domain: DomainName = None,
    data: Where = None,
) -> ExitCode:
    """Ask a Document Registry by stored query: ITI-18, or ITI-51 for the multi-patient ones."""
    from affinity.cli.querying import Question, ask, show

    question = Question(
        name=query,
        patient_id=patient_id,
        statuses=tuple(status or ()),
        parameters=tuple(map(_parameter, param or ())),
        object_ref=object_ref,
        registry=registry,
        domain=domain,
        data=data,
    )
    return show(ask(question, security, identity), output)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise wrong_use(f"--param wants NAME=VALUE, not {text!r}")
    return name, value
