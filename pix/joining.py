"""Joining by likeness: what the matcher's verdicts do to a partition, after all that people and sources said.

A false link is worse than a task: whatever a machine must not decide becomes a doubt for a person to settle.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from ihe.identifiers import PatientKey
from pix.decisions import Match, Pair
from pix.matching.scoring import Outcome
from pix.persons import Contradiction, Partition, Reason
from pix.tasks import Kind

LACKING = "no corroboration"
"""What speaks against a link without speaking for two people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Two records that a person should look at. ``since`` is the event of the verdict that raised it, if any."""

    kind: Kind
    pair: Pair
    reason: str
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """The matcher's verdicts on the members of a partition, the heaviest first.

    ``current`` is the person that each record was of until now, ``overlaid`` the records whose id may have been given
    to somebody else. ``link`` (bits) is what a match must weigh, ``margin`` (bits) by how much the best must beat the
    next. ``objection`` says what speaks against two records being one person, though neither need match the other.
    """

    matches: tuple[Match, ...]
    current: Mapping[PatientKey, PatientKey]
    overlaid: Set[PatientKey]
    link: float
    margin: float
    objection: Contradiction

    def join(self, partition: Partition) -> list[Doubt]:
        """Join what is alike, what is one person already first; what must not be joined becomes a doubt."""
        links = [each for each in self.matches if each.outcome == Outcome.LINK]
        kept = [each for each in links if self._is_current(each)]
        doubts = list(self._join_kept(partition, kept))
        doubts += self._join_new(partition, [each for each in links if each not in kept])
        return doubts + list(self._reviews(partition))

    def _is_current(self, match: Match) -> bool:
        one, other = (self.current.get(key) for key in match.pair)
        return one is not None and one == other

    def _join_kept(self, partition: Partition, kept: Iterable[Match]) -> Iterator[Doubt]:
        for match in kept:
            if partition.may_join(match.pair):
                yield from self._join_or_doubt(partition, match)

    def _join_new(self, partition: Partition, links: list[Match]) -> Iterator[Doubt]:
        """Join the heaviest first. Who resembles two people nearly as much is joined with neither."""
        for match in links:
            if not partition.may_join(match.pair):
                continue
            rival = self._rival(partition, match)
            if rival is None:
                yield from self._join_or_doubt(partition, match)
            else:
                reason = f"as much like another: {match.weight:.1f} and {rival.weight:.1f} bits"
                yield Doubt(kind=Kind.LOW_MARGIN, pair=match.pair, reason=reason, since=match.event)

    def _join_or_doubt(self, partition: Partition, match: Match) -> Iterator[Doubt]:
        objection = self._objection(partition, match)
        if objection is None:
            partition.join(match.pair, Reason.MATCH)
        else:
            yield Doubt(kind=Kind.VETO, pair=match.pair, reason=objection, since=match.event)

    def _objection(self, partition: Partition, match: Match) -> str | None:
        if not self.overlaid.isdisjoint(match.pair):
            return "one of them is under the id of somebody else"
        members = partition.members
        objections = (self.objection(members[one], members[other]) for one, other in partition.across(match.pair))
        return next((each for each in objections if each), None)

    def _rival(self, partition: Partition, match: Match) -> Match | None:
        """Another match of either side, nearly as heavy, with somebody whom the other side does not match."""
        one, other = (partition.group(key) for key in match.pair)
        for rival in self.matches:
            if rival.weight < match.weight - self.margin or not self._is_open(partition, rival):
                continue
            for mine, theirs in ((one, other), (other, one)):
                third = self._third(partition, rival, mine)
                if third is not None and third is not theirs and not self._links(third, theirs):
                    return rival
        return None

    def _is_open(self, partition: Partition, rival: Match) -> bool:
        return all(key in partition.members for key in rival.pair) and partition.may_join(rival.pair)

    def _third(self, partition: Partition, rival: Match, mine: Set[PatientKey]) -> Set[PatientKey] | None:
        """The group with which ``rival`` would join this one."""
        for here, there in (rival.pair, rival.pair[::-1]):
            if here in mine:
                return partition.group(there)
        return None

    def _links(self, one: Set[PatientKey], other: Set[PatientKey]) -> bool:
        return any(
            each.outcome == Outcome.LINK
            and ((each.pair[0] in one and each.pair[1] in other) or (each.pair[1] in one and each.pair[0] in other))
            for each in self.matches
        )

    def _reviews(self, partition: Partition) -> Iterator[Doubt]:
        for match in self.matches:
            if match.outcome == Outcome.REVIEW and partition.may_join(match.pair):
                contradicted = match.weight >= self.link and match.reason != LACKING
                kind = Kind.VETO if contradicted else Kind.POTENTIAL_DUPLICATE
                reason = match.reason or f"alike, but not enough to be sure: {match.weight:.1f} bits"
                yield Doubt(kind=kind, pair=match.pair, reason=reason, since=match.event)
