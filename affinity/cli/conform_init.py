"""``affinity conform init``: a declaration of a system under test to begin with, or one of the node on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from affinity.cli.options import Where
from affinity.cli.verbs import Debugging, ExitCode, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform init sut.toml
      a declaration of the node on this machine, which `affinity up --domain connectathon` started: change it for yours

  affinity conform init secured.toml --tls
      the same over mutual TLS, with an assertion in every call

  affinity conform run sut.toml
      and test it"""
File = Annotated[Path, typer.Argument(metavar="SUT.TOML", help="The file to write; it must not be there yet.")]
Secured = Annotated[
    bool,
    typer.Option("--tls", help="Mutual TLS with the development certificates, and an assertion in each call."),
]


@verb
def init(file: File, output: Debugging, data: Where = None, tls: Secured = False) -> ExitCode:
    """Write a declaration of the node on this machine."""
    from affinity.cli.conform_declaring import declaration, ways
    from affinity.cli.targets import LocalNode
    from affinity.domain import load

    node = LocalNode.find(data)
    if file.exists():
        raise wrong_use(f"{file} is there already")
    domain = load(node.domain).affinity_domain
    file.write_text("\n".join(declaration(ways(node, data, secured=tls), domain)) + "\n")
    print(f"{file}: declares {domain.name!r} on this machine")
    return ExitCode.DONE
