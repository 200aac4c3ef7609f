"""The command line: ``affinity VERB``. Exit: 0 done, 1 refused by a peer or a check, 2 wrong use, 3 unreachable."""

import typer

from affinity.cli import (
    audit,
    cert,
    configuration,
    conform,
    consent,
    db,
    demo,
    doctor,
    domains,
    patients,
    pix,
    query,
    retrieve,
    saml,
    send,
    serving,
    status,
    submit,
    validate,
)
from affinity.garbage import look_seldom

NODE, CLIENT, INDEX = "Run a node", "Speak to any server", "The patient index"
RECORDS, AUDIT, TESTS = "The shared care record", "The audit trail", "Test any system"

app = typer.Typer(
    name="affinity",
    help="An IHE affinity domain in one program: XDS.b registry and repository, PIX/PDQ over HL7 v2 and v3, XUA.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("up", epilog=serving.UP_EXAMPLES, rich_help_panel=NODE)(serving.up)
app.command("serve", epilog=serving.SERVE_EXAMPLES, rich_help_panel=NODE)(serving.serve)
app.command("init", epilog=domains.EXAMPLES, rich_help_panel=NODE)(domains.init)
app.command("config", epilog=configuration.EXAMPLES, rich_help_panel=NODE)(configuration.config)
app.command("doctor", epilog=doctor.EXAMPLES, rich_help_panel=NODE)(doctor.doctor)
app.command("status", epilog=status.EXAMPLES, rich_help_panel=NODE)(status.status)
app.add_typer(cert.app, name="cert", rich_help_panel=NODE)
app.command("send", epilog=send.EXAMPLES, rich_help_panel=CLIENT)(send.send)
app.command("pdq", epilog=patients.PDQ_EXAMPLES, rich_help_panel=CLIENT)(patients.pdq)
app.command("submit", epilog=submit.EXAMPLES, rich_help_panel=CLIENT)(submit.submit)
app.command("query", epilog=query.EXAMPLES, rich_help_panel=CLIENT)(query.query)
app.command("retrieve", epilog=retrieve.EXAMPLES, rich_help_panel=CLIENT)(retrieve.retrieve)
app.add_typer(saml.app, name="saml", rich_help_panel=CLIENT)
app.add_typer(pix.app, name="pix", rich_help_panel=INDEX)
app.add_typer(consent.app, name="consent", rich_help_panel=RECORDS)
app.add_typer(db.app, name="db", rich_help_panel=INDEX)
app.add_typer(audit.app, name="audit", rich_help_panel=AUDIT)
app.add_typer(demo.app, name="demo", rich_help_panel=INDEX)
app.command("validate", epilog=validate.EXAMPLES, rich_help_panel=TESTS)(validate.validate)
app.add_typer(conform.app, name="conform", rich_help_panel=TESTS)


def main() -> None:
    """Run the command line."""
    look_seldom()
    app()
