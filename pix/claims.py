"""Which records a message may speak of: those of its own ids, none merged away, none of somebody else."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import store_links, store_nationals
from pix.agreement import disagreement
from pix.decisions import Basis, pair
from pix.identification import ANYBODY
from pix.journal import Change
from pix.matching.findings import DOUBTFUL
from pix.matching.scoring import vetoes
from pix.matching.subject import subject
from pix.model import Feed, Identifier, Merge
from pix.store_records import Record

Known = Mapping[tuple[str, str], Record]
Found = Mapping[Identifier, Record]


TWINS = (DOUBTFUL,)
"""What alone speaks against two records if one of them may be the other's twin, or mistyped."""
MOST_IDENTIFIERS = 200
"""In one message. Each is compared with each other while all other writers wait: 200 take 0.3 s, 1000 take 6 s."""


def refuse_too_many(identifiers: tuple[Identifier, ...]) -> None:
    """Refuse a message that speaks of more ids than any patient has."""
    if len(identifiers) > MOST_IDENTIFIERS and len(set(identifiers)) > MOST_IDENTIFIERS:
        breach = Breach(
            code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
            text=f"The message names more than {MOST_IDENTIFIERS} patient identifiers",
            observed=str(len(set(identifiers))),
            location=identifiers[-1].location,
            citation=tf2("3.8.4.1.2.3"),
        )
        raise Rejected(breach)


def own_identifiers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """The ids that are records of their own; a national id is one only if it is an XDS id, or if there is no other."""
    unique = tuple(dict.fromkeys(identifiers))
    own = tuple([each for each in unique if not each.authority.national or each.authority.issues_xds_ids])
    return own or unique


def refuse_subsumed(identifiers: Iterable[Identifier], known: Known) -> None:
    """Refuse ids that were merged away: they shall not be referenced any more (ITI TF-2: 3.8.4.2.2.4)."""
    subsumed = [each for each in identifiers if each.key in known and known[each.key].survivor is not None]
    if subsumed:
        raise Rejected(*map(_subsumed, subsumed))


def refuse_kept_apart(change: Change, merge: Merge, surviving: Record, subsumed: Record) -> None:
    """Refuse the merge of two ids of which a steward said that they are two people's."""
    two = pair(surviving.key, subsumed.key)
    decisions = store_links.decisions(change.connection, two)
    if any(each.pair == two and each.basis is Basis.STEWARD and not each.same for each in decisions):
        raise Rejected(_two_people(merge.subsumed))


def claimed(change: Change, own: tuple[Identifier, ...], known: Known, feed: Feed) -> tuple[Identifier, ...]:
    """The ids whose records are, or may become, this patient's. Rejected if each of them is somebody else's.

    It is a correction, and no slip, if all the ids are one person already; or if the source that corrects its record
    adds an id to it, and the record is linked with no others.
    """
    found = {each: known[each.key] for each in own if each.key in known and known[each.key].announced}
    if own and not found:
        return own
    strangers = set(_strangers(change, own, found, feed))
    if strangers.issuperset(own):
        raise Rejected(*map(_somebody_elses, own))
    return tuple(each for each in own if each not in strangers)


def _strangers(change: Change, own: tuple[Identifier, ...], found: Found, feed: Feed) -> Iterator[Identifier]:
    if len(own) == 1:
        # One source may correct its patient; of an id that anybody may send, another source's may be a mistyped one.
        shared = {each: record for each, record in found.items() if _is_shared(each)}
        yield from _of_others(change, _contradicting(shared, feed), found)
        return
    contradicting, torn = _contradicting(found, feed), _torn(found, feed)
    doubtful = [*contradicting, *_twins(change, found, feed, contradicting)]
    if doubtful or torn:
        persons = store_links.persons_of(change.connection, [each.key for each in found.values()])
        if len(found) < len(own) or len(set(persons.values())) > 1:
            corrected = _corrected(change, doubtful, found, persons)
            yield from (each for each in doubtful if each not in corrected)
            yield from _of_others(change, torn, found) or torn


def _is_shared(identifier: Identifier) -> bool:
    return identifier.authority.national or ANYBODY in identifier.authority.sources


def _contradicting(found: Found, feed: Feed) -> list[Identifier]:
    """The ids of records that clearly speak of somebody else than the message does."""
    return [each for each, record in found.items() if disagreement(record.demographics, feed.demographics)]


def _twins(change: Change, found: Found, feed: Feed, contradicting: Collection[Identifier]) -> Iterator[Identifier]:
    """The ids of others' records that may be a twin's, Lena's or Lina's, with no national id in common.

    They are not joined with this patient afterwards, so what the message says of them must not be stored either.
    """
    spoken = subject(feed.demographics)
    nationals = {each.key for each in feed.identifiers if each.authority.national}
    for each in _of_others(change, [each for each in found if each not in contradicting], found):
        record = found[each]
        known = record.demographics
        if known.names == feed.demographics.names or vetoes(subject(known), spoken) != TWINS:
            continue
        held = store_nationals.held(change.connection, (record.key,)).get(record.key, ())
        if nationals.isdisjoint((own.authority, own.id) for own in held if own.valid):
            yield each


def _torn(found: Found, feed: Feed) -> list[Identifier]:
    """The ids of records that clearly speak of two people even after the message: a vague one shall not join them."""
    after = {each: feed.applied_to(record.demographics) for each, record in found.items()}
    apart = [two for two in combinations(found, 2) if disagreement(after[two[0]], after[two[1]])]
    return [each for each in found if any(each in two for two in apart)]


def _of_others(change: Change, identifiers: Iterable[Identifier], found: Found) -> list[Identifier]:
    return [each for each in identifiers if found[each].source != change.origin.source]


def _corrected(
    change: Change, doubtful: list[Identifier], found: Found, persons: Mapping[PatientKey, PatientKey]
) -> list[Identifier]:
    """The doubtful records that their own source may correct: of one person, who is linked with nobody else."""
    mine = {record.key for record in found.values()}
    members = store_links.members(change.connection, set(persons.values()))
    homes = {each: persons[found[each].key] for each in doubtful}
    others = _of_others(change, doubtful, found)
    own = [each for each in doubtful if each not in others and mine.issuperset(members[homes[each]])]
    return own if len({homes[each] for each in own}) == 1 else []


def _subsumed(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This patient id was merged into another one and is no longer in use",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.2.4"),
        remedy="Send the surviving id, which the merge message named in PID-3",
    )


def _two_people(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text="A person who looks after identities here decided that the two ids are two people's",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
        remedy="Ask the identity cell of this domain to take its decision back",
    )


def _somebody_elses(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="This patient id belongs to somebody else, whose name, birth date or sex is clearly another",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.1.3"),
        remedy="Check the id; if the patient known under it was corrected, its own source sends the correction first",
    )
