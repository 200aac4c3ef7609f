"""What one request may cost before it is refused."""

from dataclasses import dataclass, field

from soap.xml import MIB, XMLLimits

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPLimits:
    """Bounds in bytes unless said otherwise.

    ``body`` is a whole request as it travels; ``xml`` bounds the envelope without what was cut out of it; inline base64
    of ``inline`` bytes and more is streamed to a part instead of being kept in the envelope. ``queue`` is what may wait
    in memory for the disk before the sender is paused; ``envelopes`` bounds what all envelopes over ``inline`` together
    cost once they are parsed. A request must arrive with ``pace`` bytes per second on average after ``grace`` seconds;
    a connection that is idle, or whose peer does not take its answer, is closed after ``idle`` seconds.
    """

    body: int = 4096 * MIB
    xml: XMLLimits = field(default_factory=XMLLimits)
    parts: int = 1000
    part_headers: int = 16 * KIB
    inline: int = 64 * KIB
    queue: int = 2 * MIB
    envelopes: int = 512 * MIB
    headers: int = 16 * KIB
    pace: int = 1 * KIB
    grace: float = 30
    idle: float = 60
    connections: int = 2000


DEFAULT_LIMITS = SOAPLimits()
