"""``affinity pix``: the patient index, asked over its wires and looked after by the people responsible for it."""

import typer

from affinity.cli import bulk, notifications, patients, rematch, shadow, tune

app = typer.Typer(
    help="The patient index: ask it for ids, and look after who is who.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("ids", epilog=patients.IDS_EXAMPLES)(patients.ids)
app.command("notifications", epilog=notifications.LIST_EXAMPLES)(notifications.notifications)
app.command("resend", epilog=notifications.RESEND_EXAMPLES)(notifications.resend)
app.command("load", epilog=bulk.LOAD_EXAMPLES)(bulk.load)
app.command("export", epilog=bulk.EXPORT_EXAMPLES)(bulk.export)
app.command("rematch", epilog=rematch.EXAMPLES)(rematch.rematch)
app.command("shadow", epilog=shadow.EXAMPLES)(shadow.shadow)
app.command("tune", epilog=tune.EXAMPLES)(tune.tune)
