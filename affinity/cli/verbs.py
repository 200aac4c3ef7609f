"""What makes a verb of a function: groups of options, errors in one sentence, fixed exit codes."""

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import IntEnum
from inspect import Parameter
from typing import Annotated, Any, get_type_hints

import typer


class ExitCode(IntEnum):
    """How a verb ended."""

    DONE = 0
    REFUSED = 1
    """The peer refused, a check failed, or a defect of our own."""
    WRONG_USE = 2
    UNREACHABLE = 3
    """No connection, or no answer that can be read."""


class Stopped(Exception):
    """A verb cannot go on; the text is one sentence for the person who typed it."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def wrong_use(sentence: str) -> Stopped:
    """What was asked cannot be meant."""
    return Stopped(ExitCode.WRONG_USE, sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Debugging:
    """How much a verb says of an error."""

    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole story of an error.", rich_help_panel="Output")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Debugging):
    """How a verb speaks."""

    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON value on standard output, errors too.", rich_help_panel="Output"),
    ] = False


def verb(work: Callable[..., ExitCode | None]) -> Callable[..., None]:
    """Make a command of ``work``: a parameter whose type is a dataclass stands for the options that are its fields.

    ``work`` returns its exit code (None: done) and has an ``output`` parameter. What it raises becomes a sentence.
    """
    hints = get_type_hints(work, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    def run(**options: Any) -> None:
        for name, kind in groups.items():
            options[name] = kind(**{each.name: options.pop(each.name) for each in fields(kind)})
        raise typer.Exit(_finish(work, options))

    parameters = list(_parameters(work, hints, groups))
    run.__doc__, run.__name__ = work.__doc__, work.__name__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _parameters(work: Callable[..., Any], hints: dict[str, Any], groups: dict[str, Any]) -> Iterator[Parameter]:
    for name, parameter in inspect.signature(work).parameters.items():
        if name not in groups:
            yield parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
            continue
        types = get_type_hints(groups[name], include_extras=True)
        for each in fields(groups[name]):
            default = Parameter.empty if each.default is MISSING else each.default
            yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=types[each.name])


def _finish(work: Callable[..., ExitCode | None], options: dict[str, Any]) -> ExitCode:
    output: Debugging = options["output"]
    try:
        return work(**options) or ExitCode.DONE
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:  # the last edge: a person reads a sentence, --debug shows where it happened
        from affinity.cli.failures import explain

        stopped = explain(error)
        if output.debug:
            traceback.print_exc()
        _say(stopped, output)
        return stopped.code


def _say(stopped: Stopped, output: Debugging) -> None:
    if isinstance(output, Output) and output.as_json:
        from affinity.cli.show import print_json

        print_json({"error": str(stopped), "exit_code": int(stopped.code)})
    else:
        print(stopped, file=sys.stderr)
