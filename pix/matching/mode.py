"""Whether records are compared at all."""

from enum import StrEnum


class Mode(StrEnum):
    """What likeness may do. What people, sources and national ids say holds in either mode."""

    ON = "on"
    OFF = "off"
    """No record is compared with another. A verdict that is there stays until its record is fed with another identity
    or ``affinity pix rematch`` takes it back."""
