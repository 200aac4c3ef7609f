"""``affinity demo``: what there is to try Affinity on."""

import typer

from affinity.cli import population

app = typer.Typer(
    help="Something to try it on: an invented population.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("population", epilog=population.EXAMPLES)(population.population)
