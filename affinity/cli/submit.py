"""``affinity submit``: files with their metadata into a Document Repository (ITI-41)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity.cli.options import DomainName, Identity, Security, Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity submit report.xml --patient-id 'DEMO-1987-0412^^^&2.25.99.1&ISO'
      to the node on this machine; a CDA document says most of its metadata itself

  affinity submit scan.pdf --patient-id '4711^^^&2.25.99.1&ISO' --title 'Blood count' --type-code 58410-2 \
      --domain my-domain/ --repository https://xds.example.org/xds/repository --tls-ca ca.pem
      a code alone is looked up in the domain's lists; CODE^^SCHEME^DISPLAY works without

  affinity submit new.pdf --patient-id '4711^^^&2.25.99.1&ISO' --metadata report.toml --replaces urn:uuid:5b16...
      the metadata from a file, instead of a registered document

[bold]report.toml[/bold] has the attributes of a DocumentEntry by the standard's names, and those of the SubmissionSet:
  title = "Blood count"
  typeCode = "58410-2^^2.16.840.1.113883.6.1^CBC panel"
  serviceStartTime = "20261123"
  author = \[{ authorPerson = "^Ternoir^Adèle", authorInstitution = \["Laboratoire^^^^^^^^^2.25.99.7"] }]
  \[submissionSet]
  comments = "Second reading"

An option counts more than the file, the file more than what the document says of itself. What nobody says is assumed
from the domain and named in the answer. Exit code 1: refused, with every error; nothing was stored then."""

PANEL = "Metadata"
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Documents of one patient.", exists=True, dir_okay=False)
]
PatientId = Annotated[str, typer.Option(help="The patient: id^^^&oid&ISO.")]
RepositoryURL = Annotated[
    str | None, typer.Option("--repository", help="URL of the repository; default: the node on this machine.")
]
MetadataFile = Annotated[Path | None, typer.Option(help="TOML file with metadata.", exists=True, dir_okay=False)]
Replaces = Annotated[str | None, typer.Option(help="entryUUID of the registered document that FILE replaces.")]
Coded = Annotated[str | None, typer.Option(metavar="CODE", rich_help_panel=PANEL)]
Plain = Annotated[str | None, typer.Option(rich_help_panel=PANEL)]
Several = Annotated[list[str] | None, typer.Option(metavar="CODE", help="Repeatable.", rich_help_panel=PANEL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is said of every document in options; the names are those of ``ATTRIBUTES``."""

    title: Plain = None
    comments: Plain = None
    mime_type: Plain = None
    unique_id: Plain = None
    language: Plain = None
    creation_time: Plain = None
    service_start_time: Plain = None
    service_stop_time: Plain = None
    class_code: Coded = None
    type_code: Coded = None
    format_code: Coded = None
    confidentiality_code: Several = None
    facility_type_code: Coded = None
    practice_setting_code: Coded = None
    event_code: Several = None
    source_patient_id: Annotated[
        str | None, typer.Option(help="The id at the source; default: --patient-id.", rich_help_panel=PANEL)
    ] = None
    author_person: Annotated[str | None, typer.Option(help="XCN: ^Family^Given.", rich_help_panel=PANEL)] = None
    author_institution: Annotated[str | None, typer.Option(help="XON: Name^^^^^^^^^OID.", rich_help_panel=PANEL)] = None

    def spelled(self) -> dict[str, Any]:
        """What was said, by the names of the standard."""
        said = {name: getattr(self, field) for field, name in ATTRIBUTES.items() if getattr(self, field)}
        author = {"authorPerson": self.author_person, "authorInstitution": self.author_institution}
        if named := {name: value for name, value in author.items() if value}:
            said["author"] = [named]
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMetadata:
    """What is said of the submission set."""

    content_type_code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of the SubmissionSet.", rich_help_panel=PANEL)
    ] = None
    source_id: Annotated[
        str | None,
        typer.Option(help="OID of the submitting system; default: the domain's.", rich_help_panel=PANEL),
    ] = None


ATTRIBUTES: Mapping[str, str] = {
    "title": "title",
    "comments": "comments",
    "mime_type": "mimeType",
    "unique_id": "uniqueId",
    "language": "languageCode",
    "creation_time": "creationTime",
    "service_start_time": "serviceStartTime",
    "service_stop_time": "serviceStopTime",
    "class_code": "classCode",
    "type_code": "typeCode",
    "format_code": "formatCode",
    "confidentiality_code": "confidentialityCode",
    "facility_type_code": "healthcareFacilityTypeCode",
    "practice_setting_code": "practiceSettingCode",
    "event_code": "eventCodeList",
    "source_patient_id": "sourcePatientId",
}
"""The option of each attribute."""


@verb
def submit(
    files: Files,
    patient_id: PatientId,
    described: Metadata,
    packed: SetMetadata,
    security: Security,
    identity: Identity,
    output: Output,
    repository: RepositoryURL = None,
    domain: DomainName = None,
    data: Where = None,
    metadata: MetadataFile = None,
    replaces: Replaces = None,
) -> ExitCode:
    """Submit documents of one patient to a Document Repository: ITI-41."""
    if len(files) > 1 and (described.unique_id or replaces):
        raise wrong_use("--unique-id and --replaces are for one FILE")
    from affinity.cli.submitting import Order, show, submit_documents

    order = Order(
        files=tuple(files),
        said={**described.spelled(), "patientId": patient_id},
        said_of_set={"contentTypeCode": packed.content_type_code, "sourceId": packed.source_id},
        metadata=metadata,
        replaces=replaces,
        repository=repository,
        domain=domain,
        data=data,
    )
    return show(submit_documents(order, security, identity), output)
