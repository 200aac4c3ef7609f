"""``affinity pix``: the patient index, asked over its wires and looked after by the people responsible for it."""

import typer

from affinity.cli import bulk, identities, notifications, patients, rematch, shadow, stewards, tune, worklist

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
app.command("tasks", epilog=worklist.TASKS_EXAMPLES)(worklist.tasks)
app.command("task", epilog=worklist.TASK_EXAMPLES)(worklist.task)
app.command("take", epilog=worklist.TAKE_EXAMPLES)(worklist.take)
app.command("release", epilog=worklist.RELEASE_EXAMPLES)(worklist.release)
app.command("decide", epilog=worklist.DECIDE_EXAMPLES)(worklist.decide)
app.command("explain", epilog=identities.EXPLAIN_EXAMPLES)(identities.explain)
app.command("history", epilog=identities.HISTORY_EXAMPLES)(identities.history)
app.command("person", epilog=identities.PERSON_EXAMPLES)(identities.person)
app.command("link", epilog=identities.LINK_EXAMPLES)(identities.link)
app.command("never-link", epilog=identities.NEVER_LINK_EXAMPLES)(identities.never_link)
app.command("withdraw", epilog=identities.WITHDRAW_EXAMPLES)(identities.withdraw)
app.command("split", epilog=identities.SPLIT_EXAMPLES)(identities.split)
app.command("unmerge", epilog=identities.UNMERGE_EXAMPLES)(identities.unmerge)
app.command("statistics", epilog=identities.STATISTICS_EXAMPLES)(identities.statistics)
app.command("token", epilog=stewards.TOKEN_EXAMPLES)(stewards.token)
