"""``affinity consent``: the access rights of the shared care record (docs/access-rights.md)."""

import typer

from affinity.cli import consent_accesses as view
from affinity.cli import consent_acts as acts
from affinity.cli import consent_exchange as exchange
from affinity.cli import consent_looks as looks

LOOK = "Look"
LIFE = "A record's life"
WHO = "Who may see it"
EMERGENCY = "Emergencies"
EXCHANGE = "Consents of other systems"

app = typer.Typer(
    help="The shared care record: who may see what, why, and since when.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("explain", epilog=looks.EXPLAIN_EXAMPLES, rich_help_panel=LOOK)(looks.explain)
app.command("what-if", epilog=looks.WHAT_IF_EXAMPLES, rich_help_panel=LOOK)(looks.what_if)
app.command("history", epilog=looks.HISTORY_EXAMPLES, rich_help_panel=LOOK)(looks.history)
app.command("accesses", epilog=view.EXAMPLES, rich_help_panel=LOOK)(view.accesses)
app.command("record", epilog=acts.RECORD_EXAMPLES, rich_help_panel=LIFE)(acts.record)
app.command("relate", epilog=acts.RELATE_EXAMPLES, rich_help_panel=WHO)(acts.relate)
app.command("end", epilog=acts.END_EXAMPLES, rich_help_panel=WHO)(acts.end)
app.command("exclude", epilog=acts.EXCLUDE_EXAMPLES, rich_help_panel=WHO)(acts.exclude)
app.command("admit", epilog=acts.ADMIT_EXAMPLES, rich_help_panel=WHO)(acts.admit)
app.command("mask", epilog=acts.MASK_EXAMPLES, rich_help_panel=WHO)(acts.mask)
app.command("unmask", epilog=acts.UNMASK_EXAMPLES, rich_help_panel=WHO)(acts.unmask)
app.command("break-glass", epilog=acts.GLASS_EXAMPLES, rich_help_panel=EMERGENCY)(acts.break_glass)
app.command("emergencies", epilog=looks.EMERGENCIES_EXAMPLES, rich_help_panel=EMERGENCY)(looks.emergencies)
app.command("review", epilog=acts.REVIEW_EXAMPLES, rich_help_panel=EMERGENCY)(acts.review)
app.command("import", epilog=exchange.IMPORT_EXAMPLES, rich_help_panel=EXCHANGE)(exchange.import_)
app.command("export", epilog=exchange.EXPORT_EXAMPLES, rich_help_panel=EXCHANGE)(exchange.export)
