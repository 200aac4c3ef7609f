"""How the verbs of stewards find the node and the token, and the token that is made for a steward."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.options import Security
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from affinity.client.stewardship import StewardClient

TOKEN = "AFFINITY_STEWARD_TOKEN"
"""The environment variable that holds a steward's token."""
PANEL = "Connection"
TOKEN_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix token anna
      a token for Anna, shown once, and the line of the settings that lets her in

The token is not kept anywhere: give it to Anna, and the line to whoever runs the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(Security):
    """Where the interface is, and who asks."""

    url: Annotated[
        str | None,
        typer.Option(
            help="Address of a node, such as https://pix.example.org; default: that on this machine.",
            rich_help_panel=PANEL,
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            help=f"File that holds your token; default: {TOKEN}, or the development node's own.",
            exists=True,
            dir_okay=False,
            rich_help_panel=PANEL,
        ),
    ] = None
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Data directory of a node on this machine.", file_okay=False, rich_help_panel=PANEL
        ),
    ] = None


def client(desk: Desk) -> "StewardClient":
    """A client of the interface, for the steward whose token is found."""
    from affinity.cli.soap_targets import client_context
    from affinity.cli.targets import LocalNode
    from affinity.client.stewardship import StewardClient
    from affinity.stewardship import PATH

    if desk.url is not None and not desk.url.startswith(("http://", "https://")):
        raise wrong_use(f"--url wants an http or https address, not {desk.url!r}")
    base = desk.url.rstrip("/").removesuffix(PATH) if desk.url else LocalNode.find(desk.data).url("")
    return StewardClient(url=base + PATH, token=_token(desk), tls=client_context(desk), timeout=desk.timeout)


def _token(desk: Desk) -> str:
    if desk.token_file is not None:
        return desk.token_file.read_text().strip()
    if token := os.environ.get(TOKEN):
        return token.strip()
    # The development node's token is for that node alone: it is never sent elsewhere.
    local = None if desk.url else _local_token(desk.data)
    if local is None:
        raise wrong_use(f"no token: give --token-file FILE or {TOKEN} (affinity pix token NAME makes one)")
    return local


def _local_token(data: Path | None) -> str | None:
    from affinity.settings import load
    from affinity.stewardship import TOKEN_FILE

    file = load(None, {} if data is None else {"data": data}).data / TOKEN_FILE
    return file.read_text().strip() if file.is_file() else None


@verb
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The steward: lower-case letters, digits, . _ -")],
    output: Output,
) -> ExitCode:
    """Make a token for a steward, and print the line of the settings that lets its bearer in."""
    from affinity.cli.show import print_json, print_line
    from affinity.settings import Settings
    from affinity.stewardship.access import digest, new_token

    made = new_token()
    known = digest(made)
    Settings(stewards={name: known})
    if output.as_json:
        print_json({"steward": name, "token": made, "digest": known})
        return ExitCode.DONE
    print_line(f"Token of {name}, shown this once:", "bold")
    print_line(made)
    print_line("For the settings file of the server:", "bold")
    print_line(f'[stewards]\n"{name}" = "{known}"')
    return ExitCode.DONE
