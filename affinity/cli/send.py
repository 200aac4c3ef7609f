"""``affinity send``: any HL7 v2 message, from files, over MLLP."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity.cli.options import Security, Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity send feed.hl7
      to the node that `affinity up` started here

  affinity send *.hl7 --mllp pix.example.org:2576 --tls-ca ca.pem --cert me.pem --key me.key
      over mutual TLS

  affinity send feed.hl7 --json | jq '.\[] | select(.accepted | not)'
      the messages that were refused

A file holds one message or many, its segments ended by CR, LF or both. All go over one connection, in order,
each after the acknowledgement of the one before. Exit code 1 says that at least one was not accepted."""

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Files with HL7 v2 messages.", exists=True, dir_okay=False)
]
MLLP = Annotated[str | None, typer.Option("--mllp", help="HOST:PORT; default: the node on this machine.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message of a file: its number there, MSH-9, MSH-10, and its bytes."""

    file: Path
    number: int
    trigger: str
    control_id: str
    content: bytes
    answered: bool


@verb
def send(
    files: Files,
    security: Security,
    output: Output,
    mllp: MLLP = None,
    data: Where = None,
) -> ExitCode:
    """Send the HL7 v2 messages of files over MLLP and show every acknowledgement."""
    from affinity.cli.targets import LocalNode, mllp_address

    outgoing = [message for file in files for message in _messages(file)]
    address = mllp_address(mllp, security, LocalNode.find(data))
    told = []
    for each in _exchanged(outgoing, address, security.timeout):
        told.append(each)
        if not output.as_json:
            _show(each)
    if output.as_json:
        from affinity.cli.show import print_json

        print_json(told)
    return ExitCode.DONE if all(each["accepted"] for each in told) else ExitCode.REFUSED


def _messages(file: Path) -> Iterator[Outgoing]:
    from affinity.client.hl7_file import split
    from hl7v2.er7 import Malformed, parse_header

    found = split(file.read_bytes())
    if not found:
        raise wrong_use(f"{file} holds no HL7 v2 message: no line begins with MSH")
    for number, content in enumerate(found, start=1):
        try:
            message = parse_header(content)
        except Malformed as malformed:
            message = malformed.header
        header = message.header
        conditions = {header.text(15), header.text(16)}
        yield Outgoing(
            file=file,
            number=number,
            trigger=message.trigger,
            control_id=message.control_id,
            content=content,
            answered=conditions != {"NE"},
        )


def _exchanged(outgoing: list[Outgoing], address: Any, timeout: float) -> Iterator[dict[str, Any]]:
    """Each message's acknowledgement as soon as it is there. Raises MLLPError."""
    from mllp.client import Connection

    with Connection(address, timeout) as connection:
        for each in outgoing:
            said = {"file": str(each.file), "message": each.number, "trigger": each.trigger}
            if each.answered:
                yield said | _read(connection.exchange(each.content))
            else:
                connection.send(each.content)
                yield said | {"control_id": each.control_id, "code": "", "accepted": True, "errors": []}


def _read(answer: bytes) -> dict[str, Any]:
    from affinity.client.hl7_answers import acknowledgement
    from hl7v2.er7 import parse

    told = acknowledgement(parse(answer))
    return {**asdict(told), "accepted": told.accepted}


def _show(told: dict[str, Any]) -> None:
    from affinity.cli.show import print_line
    from affinity.client.patients import Remark

    where = f"{told['file']}#{told['message']}  {told['trigger']} {told['control_id']}"
    if not told["code"]:
        print_line(f"{where}  sent; it asks for no acknowledgement")
        return
    verdict = "accepted" if told["accepted"] else "refused"
    text = f": {told['text']}" if told["text"] else ""
    print_line(f"{where}  {told['code']} {verdict}{text}", "" if told["accepted"] else "red")
    for error in told["errors"]:
        print_line(f"    {Remark(**error)}")
