"""What validators know beside the message: the domain whose ids and codes count, and who gives a second opinion."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hl7v2.message import Message
from ihe.domain import AffinityDomain
from ihe.errors import Breach

ANYWHERE = AffinityDomain(
    name="any", home_community_id="urn:oid:2.999", repository_unique_id="2.999.1", assigning_authorities=()
)
"""A domain without code lists: nothing is wrong because of it."""
SecondOpinion = Callable[[Message], Iterable[Breach]]


def no_second_opinion(_: Message) -> Iterable[Breach]:
    """Nobody else is asked."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """``domain`` None: which ids and codes are allowed is not judged.

    ``transaction`` is what a payload without a header is held to be, where several transactions have it (ITI-57).
    """

    domain: AffinityDomain | None = None
    transaction: str | None = None
    second_opinion: SecondOpinion = field(default=no_second_opinion)
