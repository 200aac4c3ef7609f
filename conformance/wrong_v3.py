"""HL7 v3 messages with one thing wrong: a sentence, a change of a good message, the code and place of the refusal."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from lxml.etree import _Element

from conformance.covering import Covering
from pix.v3_elements import add, name_of

Change = Callable[[_Element], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One change that makes a message wrong. ``at`` is the end of the place that the refusal names."""

    id: str
    sentence: str
    change: Change
    code: str
    at: str
    covering: Covering


def wrong(*breaking: str, code: str, at: str, covers: tuple[str, ...] = ()) -> Callable[[Change], Wrong]:
    """Make a Wrong of a function; the first line of its docstring is the sentence."""

    def declare(change: Change) -> Wrong:
        return Wrong(
            id=change.__name__,
            sentence=(change.__doc__ or change.__name__).splitlines()[0],
            change=change,
            code=code,
            at=at,
            covering=Covering(covers, breaking),
        )

    return declare


def altered(id: str, sentence: str, change: Change, code: str, at: str, *breaking: str) -> Wrong:
    """The same of a change that is made by one of the functions below."""
    return Wrong(id=id, sentence=sentence, change=change, code=code, at=at, covering=Covering((), breaking))


def at(body: _Element, path: str) -> _Element:
    """The first element at a path of names below the message."""
    found = body.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    assert found is not None, f"the good message has no {path}"
    return found


def valued(path: str, name: str, value: str | None) -> Change:
    """An attribute is this, or is not there."""

    def change(body: _Element) -> None:
        element = at(body, path)
        if value is None:
            element.attrib.pop(name)
        else:
            element.set(name, value)

    return change


def left_out(path: str) -> Change:
    """An element is not there."""

    def change(body: _Element) -> None:
        element = at(body, path)
        element.getparent().remove(element)  # type: ignore[union-attr]

    return change


def twice(path: str) -> Change:
    """An element is there twice."""

    def change(body: _Element) -> None:
        element = at(body, path)
        element.addnext(deepcopy(element))

    return change


def before(path: str, name: str, **attributes: str) -> Change:
    """An element stands before that at ``path`` which is not in the good message."""

    def change(body: _Element) -> None:
        element = at(body, path)
        element.addprevious(add(element.getparent(), name, **attributes))  # type: ignore[arg-type]

    return change


def wrapper_wrongs(interaction: str, trigger: str, parties: str) -> tuple[Wrong, ...]:
    """What is wrong with the wrappers of any message; the ids are those of the transaction."""
    return (
        altered("no-message-id", "A message without an id.", left_out("id"), "101", "/id", "TF2-O-004"),
        altered(
            "no-creation-time",
            "A message without creationTime.",
            left_out("creationTime"),
            "101",
            "/creationTime",
            "TF2-O-005",
        ),
        altered(
            "interaction",
            "An interactionId of another interaction.",
            valued("interactionId", "extension", "PRPA_IN201300UV02"),
            "200",
            "/interactionId",
            interaction,
            "TF2-O-006",
        ),
        altered(
            "processing",
            "A processingCode that is not D, T or P.",
            valued("processingCode", "code", "X"),
            "202",
            "/processingCode",
            "TF2-O-007",
        ),
        altered(
            "trigger",
            "A trigger event of another interaction.",
            valued("controlActProcess/code", "code", "PRPA_TE201300UV02"),
            "201",
            "/controlActProcess/code",
            trigger,
            "TF2-O-039",
        ),
        altered("receivers", "Two receivers.", twice("receiver"), "101", "/receiver", parties),
        altered(
            "device",
            "A receiver whose device has an extension.",
            valued("receiver/device/id", "extension", "1"),
            "101",
            "/receiver/device/id",
            "TF2-O-014",
        ),
    )


def message_name(body: _Element) -> str:
    """The interaction of a message, as its element has it."""
    return name_of(body)
