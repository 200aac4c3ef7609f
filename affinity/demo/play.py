"""Play the demonstration and show each step: what was sent, the answer, the time."""

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from affinity.demo.stage import Stage
from affinity.demo.steps import STEPS, Step, Told
from affinity.demo.story import Story, begin

console = Console(highlight=False, soft_wrap=True)


def play(stage: Stage) -> bool:
    """Play every step on the real ports; True if each of them held."""
    name = stage.loaded.display.get("en", stage.loaded.affinity_domain.name)
    console.print(f"\n[bold]{escape(name)}[/bold]: demonstration with invented people, through the real ports\n")
    with tempfile.TemporaryDirectory(prefix="affinity-demo-") as downloads:
        story = begin(stage, Path(downloads))
        held = [_show(number, step, story) for number, step in enumerate(STEPS, start=1)]
    outcome = "[green]Every step held.[/green]" if all(held) else f"[red]{held.count(False)} steps did not hold.[/red]"
    console.print(f"\n{outcome}\n")
    return all(held)


def _show(number: int, step: Step, story: Story) -> bool:
    started = time.perf_counter()
    told = _tell(step, story)
    milliseconds = (time.perf_counter() - started) * 1000
    mark = "[green]ok[/green]    " if told.held else "[red]FAILED[/red]"
    console.print(
        f"{number:>2}. {mark} [bold]{step.transaction:<6}[/bold] {step.title}  [dim]{milliseconds:.0f} ms[/dim]"
    )
    console.print(f"              sent    {escape(told.sent)}")
    console.print(f"              answer  {escape(told.answer)}")
    return told.held


def _tell(step: Step, story: Story) -> Told:
    """A step that breaks off has not held; the others are still played."""
    try:
        return step.act(story)
    except Exception as error:  # shown to the person in front of the screen, with its kind
        return Told("?", f"{type(error).__name__}: {error}", held=False)
