"""What ``affinity retrieve`` does."""

from dataclasses import asdict, dataclass
from pathlib import Path

from affinity.cli.options import Identity, Security
from affinity.cli.show import print_json, print_line, print_table, watched
from affinity.cli.soap_targets import header, soap_client
from affinity.cli.targets import LocalNode
from affinity.cli.verbs import ExitCode, Output
from affinity.client import xds
from affinity.client.bindings import soap_binding
from affinity.client.downloads import Downloads, Saved
from affinity.client.responses import Verdict, documents, verdict
from affinity.domain import load
from xds.iti43 import ITI_43

REPOSITORY_PATH = "/xds/repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted, as it was typed."""

    unique_ids: tuple[str, ...]
    repository: str | None
    repository_id: str | None
    home: str | None
    out: Path
    domain: str | None
    data: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came."""

    verdict: Verdict
    saved: tuple[Saved, ...]


def fetch(wish: Wish, security: Security, identity: Identity) -> Fetched:
    """Retrieve and save."""
    node = LocalNode.find(wish.data, wish.domain)
    url = wish.repository or node.url(REPOSITORY_PATH)
    repository_id = wish.repository_id or load(node.domain).affinity_domain.repository_unique_id
    body = xds.retrieve(((repository_id, each) for each in wish.unique_ids), wish.home)
    assertion = header(identity, security, node, url)
    with watched(f"{len(wish.unique_ids)} documents", None) as arrived, Downloads(wish.out, arrived) as downloads:
        service = soap_client(url, security, downloads.create)
        answer = service.call(soap_binding(ITI_43), [body], security=assertion)
        saved = tuple(downloads.save(each) for each in documents(answer))
    return Fetched(verdict=verdict(answer.body), saved=saved)


def show(fetched: Fetched, output: Output) -> ExitCode:
    """Where each document is, and why others are not there."""
    told = fetched.verdict
    if output.as_json:
        saved = list(map(_plain, fetched.saved))
        print_json({"status": told.status, "documents": saved, "errors": [asdict(each) for each in told.errors]})
    else:
        rows = ((str(each.path), str(each.size), each.media_type, each.sha1) for each in fetched.saved)
        if fetched.saved:
            print_table(("file", "bytes", "type", "SHA-1"), rows)
        for error in told.errors:
            print_line(str(error), "red" if error.severity == "E" else "yellow")
    return ExitCode.DONE if told.succeeded else ExitCode.REFUSED


def _plain(saved: Saved) -> dict[str, object]:
    return {
        "uniqueId": saved.unique_id,
        "path": str(saved.path),
        "mimeType": saved.media_type,
        "size": saved.size,
        "hash": saved.sha1,
    }
