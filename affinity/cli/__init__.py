"""The command line: ``affinity VERB``. Exit: 0 done, 1 refused by a peer or a check, 2 wrong use, 3 unreachable."""

import typer

from affinity.cli import configuration, db, demo, doctor, domains, patients, pix, query, retrieve, send, serving, submit

app = typer.Typer(
    name="affinity",
    help="An IHE affinity domain in one program: XDS.b registry and repository, PIX/PDQ over HL7 v2 and v3, XUA.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("up", epilog=serving.UP_EXAMPLES)(serving.up)
app.command("serve", epilog=serving.SERVE_EXAMPLES)(serving.serve)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("init", epilog=domains.EXAMPLES)(domains.init)
app.command("config", epilog=configuration.EXAMPLES)(configuration.config)
app.command("send", epilog=send.EXAMPLES)(send.send)
app.add_typer(pix.app, name="pix")
app.add_typer(demo.app, name="demo")
app.add_typer(db.app, name="db")
app.command("pdq", epilog=patients.PDQ_EXAMPLES)(patients.pdq)
app.command("submit", epilog=submit.EXAMPLES)(submit.submit)
app.command("query", epilog=query.EXAMPLES)(query.query)
app.command("retrieve", epilog=retrieve.EXAMPLES)(retrieve.retrieve)


def main() -> None:
    """Run the command line."""
    app()
