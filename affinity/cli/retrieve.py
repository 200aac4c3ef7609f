"""``affinity retrieve``: documents into files (ITI-43)."""

from pathlib import Path
from typing import Annotated

import typer

from affinity.cli.options import DomainName, Identity, Security, Where
from affinity.cli.verbs import ExitCode, Output, verb

EXAMPLES = r"""[bold]Examples[/bold]
  affinity retrieve 2.25.1147 --out downloads
      from the node on this machine

  affinity retrieve 2.25.1147 2.25.1148 --repository-id 1.2.3.4.5 \
      --repository https://xds.example.org/xds/repository --tls-ca ca.pem --cert me.pem --key me.key
      both from another repository; a query names its repositoryUniqueId

  affinity query --patient-id '4711^^^&2.25.99.1&ISO' --json | jq -r '.objects\[].uniqueId' | xargs affinity retrieve

A document is streamed to a file named after its uniqueId, and is there whole or not at all. Exit code 1: at least one
was not delivered; the others are there."""

UniqueIds = Annotated[list[str], typer.Argument(metavar="UNIQUE_ID...", help="uniqueIds of documents.")]
RepositoryURL = Annotated[
    str | None, typer.Option("--repository", help="URL of the repository; default: the node on this machine.")
]
RepositoryId = Annotated[str | None, typer.Option(help="Its repositoryUniqueId; default: the domain's.")]
Home = Annotated[str | None, typer.Option(help="homeCommunityId, as urn:oid:...; where the repository wants it.")]
Out = Annotated[Path, typer.Option("--out", help="Directory for the files; made if it is not there.", file_okay=False)]


@verb
def retrieve(
    unique_ids: UniqueIds,
    security: Security,
    identity: Identity,
    output: Output,
    repository: RepositoryURL = None,
    repository_id: RepositoryId = None,
    home: Home = None,
    out: Out = Path(),
    domain: DomainName = None,
    data: Where = None,
) -> ExitCode:
    """Retrieve documents from a Document Repository into files: ITI-43."""
    from affinity.cli.retrieving import Wish, fetch, show

    wish = Wish(
        unique_ids=tuple(dict.fromkeys(unique_ids)),
        repository=repository,
        repository_id=repository_id,
        home=home,
        out=out,
        domain=domain,
        data=data,
    )
    return show(fetch(wish, security, identity), output)
