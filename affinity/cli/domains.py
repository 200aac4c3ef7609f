"""``affinity init``: a domain of your own, copied from a shipped one."""

from pathlib import Path
from typing import Annotated

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity init my-domain
      a copy of the demo domain with OIDs of its own, to be changed and kept in git

  affinity init my-domain --template connectathon --keep-oids

  affinity up --domain my-domain --exit-after-demo
      is it a good one?"""

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it; must not exist, or be empty.")]
Template = Annotated[str, typer.Option(help="A shipped domain (demo, connectathon) or a directory like one.")]
KeepOIDs = Annotated[
    bool, typer.Option("--keep-oids", help="Do not give the copy a root OID of its own: two such domains collide.")
]


@verb
def init(directory: Directory, output: Output, template: Template = "demo", keep_oids: KeepOIDs = False) -> ExitCode:
    """Copy a shipped domain to a directory, to be edited."""
    import shutil

    from affinity.domain import load, locate

    source = locate(template)
    if directory.exists() and any(directory.iterdir()):
        raise wrong_use(f"{directory} is there already and not empty")
    shutil.copytree(source, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    if not keep_oids:
        _renew(directory, load(source).affinity_domain.home_community_id)
    _show(directory, load(directory).affinity_domain.home_community_id, output)
    return ExitCode.DONE


def _renew(directory: Path, home_community_id: str) -> None:
    """Put a new root where the template's own OIDs stand: what is below the parent of its homeCommunityId."""
    from ihe.identifiers import new_oid

    old, new = home_community_id.removeprefix("urn:oid:").rpartition(".")[0], new_oid()
    for file in directory.rglob("*.toml"):
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _show(directory: Path, home_community_id: str, output: Output) -> None:
    from affinity.cli.show import print_json, print_line

    files = sorted(str(each.relative_to(directory)) for each in directory.rglob("*.toml"))
    if output.as_json:
        print_json({"directory": str(directory), "homeCommunityId": home_community_id, "files": files})
        return
    print_line(f"{directory}: homeCommunityId {home_community_id}")
    for line in (
        "  domain.toml         name, OIDs, policy",
        "  authorities.toml    who issues patient identifiers, and who may feed them",
        "  organizations.toml  hospitals and laboratories, and the systems with which they speak",
        "  subscribers.toml    who is told of changed patient ids",
        "  partners/*.toml     the nodes that may connect, and what each may do",
        "  repositories.toml   where the audit trail is forwarded to",
        "  codes/*.toml        what each coded attribute may be",
        "You may add golden.toml (whose word counts) and matching.toml (weights): docs/operating.md.",
        f"Next: affinity up --domain {directory}",
    ):
        print_line(line)
