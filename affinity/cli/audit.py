"""``affinity audit``: the audit trail, searched, shown, proved and exported."""

import typer

from affinity.cli import audit_export, audit_forwarding, audit_search, audit_verify

READ, PROVE, SEND = "Read", "Prove and keep", "Send"

app = typer.Typer(
    help="The audit trail of a node (ATNA): who did what to whose data, and the proof that nobody changed it since.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("search", epilog=audit_search.SEARCH_EXAMPLES, rich_help_panel=READ)(audit_search.search)
app.command("show", epilog=audit_search.SHOW_EXAMPLES, rich_help_panel=READ)(audit_search.show)
app.command("verify", epilog=audit_verify.EXAMPLES, rich_help_panel=PROVE)(audit_verify.verify)
app.command("export-root", epilog=audit_export.ROOT_EXAMPLES, rich_help_panel=PROVE)(audit_export.export_root)
app.command("export", epilog=audit_export.EXAMPLES, rich_help_panel=PROVE)(audit_export.export)
app.command("forwarding", epilog=audit_forwarding.EXAMPLES, rich_help_panel=SEND)(audit_forwarding.forwarding)
