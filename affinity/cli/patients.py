"""``affinity pix ids`` and ``affinity pdq``: the same questions over HL7 v2 and v3."""

from dataclasses import dataclass
from typing import Annotated

import typer

from affinity.cli.options import Identity, Security, Sender, Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

IDS_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix ids '4711^^^&2.25.99.1&ISO'
      every other id that the node on this machine knows for this patient

  affinity pix ids '4711^^^HOSPITAL' --domain NATIONAL --mllp pix.example.org:2576 --tls-ca ca.pem \
      --cert me.pem --key me.key
      only the national id, over mutual TLS

  affinity pix ids '4711^^^&2.25.99.1&ISO' --v3 https://pix.example.org/pix --tls-ca ca.pem
      the same as ITI-45 over SOAP; authorities are OIDs there

Exit code 1 says that the id or a domain is unknown there; a known patient without other ids is an empty list."""
PDQ_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pdq --family Muller --birth-date 19800101
      at the node on this machine; a * stands for any ending: --family 'Mul*'

  affinity pdq --id '4711^^^&2.25.99.1&ISO' --domain 2.25.99.2
      who is this, and with which id in another domain

  affinity pdq --family Schmitt --given Lina --approximate
      also Schmidt, Lina: with how well each matches, the best first

  affinity pdq --family Muller --limit 5 --json --v3 https://pdq.example.org/pdq
      ITI-47 over SOAP

Nobody found is an empty list and exit code 0; without --json, whoever is similar is then shown as a suggestion."""

SUGGESTED = 10
"""Most patients that a person is shown who asked for another."""

Patient = Annotated[str, typer.Argument(metavar="ID", help="id^^^&oid&ISO or id^^^NAMESPACE.")]
Text = Annotated[str, typer.Option(rich_help_panel="Whom")]
BirthDate = Annotated[str, typer.Option(help="YYYY, YYYYMM or YYYYMMDD.", rich_help_panel="Whom")]
Sex = Annotated[str, typer.Option(help="M, F, O or U (HL7 table 0001).", rich_help_panel="Whom")]
Id = Annotated[str, typer.Option(help="id^^^&oid&ISO or id^^^NAMESPACE.", rich_help_panel="Whom")]
Limit = Annotated[int | None, typer.Option(help="At most so many patients.", min=1)]
Approximate = Annotated[
    bool, typer.Option("--approximate", help="Also who sounds like this, or was born on a day that is easily confused.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Whom to ask, and over which wire."""

    mllp: Annotated[
        str | None, typer.Option(help="HOST:PORT of an HL7 v2 server; default: the node on this machine.")
    ] = None
    v3: Annotated[str | None, typer.Option(help="URL of an HL7 v3 server to ask instead.")] = None
    device: Annotated[str | None, typer.Option(help="With --v3: OID of the receiver's device.")] = None
    domain: Annotated[
        list[str] | None, typer.Option(help="Ids of this authority alone: OID or namespace; repeatable.")
    ] = None
    data: Where = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """What is known of a patient."""

    family: Text = ""
    given: Text = ""
    birth_date: BirthDate = ""
    sex: Sex = ""
    id: Id = ""
    street: Text = ""
    city: Text = ""
    state: Text = ""
    postal_code: Text = ""
    country: Text = ""
    phone: Text = ""
    mothers_family: Text = ""
    mothers_given: Text = ""

    def __bool__(self) -> bool:
        """Claim that anything is known."""
        return any(getattr(self, name) for name in self.__slots__)


@verb
def ids(
    patient: Patient, line: Line, security: Security, identity: Identity, sender: Sender, output: Output
) -> ExitCode:
    """Ask a PIX Manager which other ids a patient has: ITI-9, or ITI-45 with --v3."""
    from affinity.cli.answers import show_identifiers
    from affinity.cli.asking import Consumer, ask_identifiers

    consumer = Consumer(line=line, security=security, identity=identity, sender=sender)
    return show_identifiers(ask_identifiers(consumer, patient), output)


@verb
def pdq(
    whom: Whom,
    line: Line,
    security: Security,
    identity: Identity,
    sender: Sender,
    output: Output,
    limit: Limit = None,
    approximate: Approximate = False,
) -> ExitCode:
    """Ask a Patient Demographics Supplier who is like this: ITI-21, or ITI-47 with --v3."""
    if not whom:
        raise wrong_use("say whom: --family, --given, --birth-date, --id, ... (see affinity pdq --help)")
    if approximate and line.v3 is not None:
        raise wrong_use("--approximate asks over HL7 v2: leave --v3 out")
    from affinity.cli.answers import show_patients, show_suggestions
    from affinity.cli.asking import Consumer, ask_approximately, ask_demographics

    consumer = Consumer(line=line, security=security, identity=identity, sender=sender)
    if approximate:
        return show_patients(ask_approximately(consumer, whom, limit), output)
    found = ask_demographics(consumer, whom, limit)
    told = show_patients(found, output)
    if found.is_nobody and not output.as_json and line.v3 is None:
        show_suggestions(ask_approximately(consumer, whom, SUGGESTED))
    return told
