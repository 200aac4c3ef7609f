"""``affinity pix``: the patient index, asked over its wires and looked after by the people responsible for it."""

import typer

from affinity.cli import bulk, identities, notifications, patients, rematch, shadow, stewards, tune, worklist

ASK = "Ask a PIX Manager"
TASKS = "What waits for a person"
LOOK = "Who is who"
DECIDE = "Decisions without a task"
FILES = "Files of patients"
WEIGHTS = "How matching decides"
TOLD = "Who is told"
PEOPLE = "Sources and stewards"

app = typer.Typer(
    help="The patient index: ask it for ids, and look after who is who.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("ids", epilog=patients.IDS_EXAMPLES, rich_help_panel=ASK)(patients.ids)
app.command("tasks", epilog=worklist.TASKS_EXAMPLES, rich_help_panel=TASKS)(worklist.tasks)
app.command("task", epilog=worklist.TASK_EXAMPLES, rich_help_panel=TASKS)(worklist.task)
app.command("take", epilog=worklist.TAKE_EXAMPLES, rich_help_panel=TASKS)(worklist.take)
app.command("release", epilog=worklist.RELEASE_EXAMPLES, rich_help_panel=TASKS)(worklist.release)
app.command("decide", epilog=worklist.DECIDE_EXAMPLES, rich_help_panel=TASKS)(worklist.decide)
app.command("person", epilog=identities.PERSON_EXAMPLES, rich_help_panel=LOOK)(identities.person)
app.command("history", epilog=identities.HISTORY_EXAMPLES, rich_help_panel=LOOK)(identities.history)
app.command("explain", epilog=identities.EXPLAIN_EXAMPLES, rich_help_panel=LOOK)(identities.explain)
app.command("link", epilog=identities.LINK_EXAMPLES, rich_help_panel=DECIDE)(identities.link)
app.command("never-link", epilog=identities.NEVER_LINK_EXAMPLES, rich_help_panel=DECIDE)(identities.never_link)
app.command("withdraw", epilog=identities.WITHDRAW_EXAMPLES, rich_help_panel=DECIDE)(identities.withdraw)
app.command("split", epilog=identities.SPLIT_EXAMPLES, rich_help_panel=DECIDE)(identities.split)
app.command("unmerge", epilog=identities.UNMERGE_EXAMPLES, rich_help_panel=DECIDE)(identities.unmerge)
app.command("load", epilog=bulk.LOAD_EXAMPLES, rich_help_panel=FILES)(bulk.load)
app.command("export", epilog=bulk.EXPORT_EXAMPLES, rich_help_panel=FILES)(bulk.export)
app.command("tune", epilog=tune.EXAMPLES, rich_help_panel=WEIGHTS)(tune.tune)
app.command("rematch", epilog=rematch.EXAMPLES, rich_help_panel=WEIGHTS)(rematch.rematch)
app.command("shadow", epilog=shadow.EXAMPLES, rich_help_panel=WEIGHTS)(shadow.shadow)
app.command("notifications", epilog=notifications.LIST_EXAMPLES, rich_help_panel=TOLD)(notifications.notifications)
app.command("resend", epilog=notifications.RESEND_EXAMPLES, rich_help_panel=TOLD)(notifications.resend)
app.command("statistics", epilog=identities.STATISTICS_EXAMPLES, rich_help_panel=PEOPLE)(identities.statistics)
app.command("token", epilog=stewards.TOKEN_EXAMPLES, rich_help_panel=PEOPLE)(stewards.token)
