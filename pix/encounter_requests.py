"""What messages of ITI-31 ask of the index, in values (ITI TF-2: 3.31)."""

from dataclasses import dataclass

from ihe.datatypes import CX
from pix.encounters import Movement
from pix.model import Feed, Identifier

INSERT, UPDATE, CANCEL = "INSERT", "UPDATE", "CANCEL"
"""Movement actions, ZBE-4 (ITI TF-2: 3.31.6.1)."""
CHANGES_OF_CLASS = ("A06", "A07")
"""Each is the other's cancellation in France, with the action CANCEL (ITI TF-4: 4.1.3.3.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterMessage:
    """What one message asks for. ``action`` is ZBE-4, or what the trigger implies.

    ``visit``, ``account`` and ``prior_account`` (MRG-3) are ``id^^^authority``, empty if not given. ``original`` is
    ZBE-6: the event that inserted the movement. ``has_movement_id`` tells ZBE from messages without it.
    """

    trigger: str
    action: str
    facility: str
    feed: Feed
    visit: str
    account: str
    prior_account: str
    movement: Movement
    original: str = ""

    @property
    def has_movement_id(self) -> bool:
        """Claim that the message says which movement it is about."""
        return bool(self.movement.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMove:
    """``account`` (MRG-3) leaves the patient ``supplier`` (MRG-1) for the patient of ``target`` (PID).

    ``number`` is the account as ``id^^^authority``.
    """

    account: CX
    number: str
    supplier: tuple[Identifier, ...]
    target: Feed
