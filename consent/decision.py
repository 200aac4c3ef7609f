"""Who may see a document, and why: pure, rule by rule. The predicate under every query is made of the same values.

First everything that concerns the patient (``stand``), then the document (``judge``). Default deny: each rule that
lets somebody in is named. Deny overrides: a rule that shuts somebody out ends it, whatever others say.
"""

from collections.abc import Iterator

from consent.case import Case, Described, Effect, Grant, Reason, Standing
from consent.model import EVERYBODY, RecordState, RelationshipKind
from consent.policy import ALL, LEVELS, Covers, Profession
from ihe.access import Categories
from ihe.identifiers import UniqueId


def stand(case: Case) -> Standing:
    """Everything that concerns the patient."""
    if case.principal is None:
        return _without_assertion(case)
    own = next(_own(case), None)
    if own is not None:
        return own
    denials = tuple(_denials(case))
    if denials:
        return Standing(reasons=denials)
    found = (*_related(case), *_in_emergency(case))
    author = _author(case)
    notes = (*_notes(case), _authorship(author))
    return Standing(
        grants=tuple(dict.fromkeys(grant for _, grant in found)) if case.is_open else (),
        author=author if case.is_open else None,
        hidden_from_author=case.hidden_from(EVERYBODY) | _hidden_from_any(case),
        adds=tuple(_adds(case)),
        reasons=(*(reason for reason, _ in found), *notes),
    )


def _without_assertion(case: Case) -> Standing:
    """A system that names nobody."""
    rule = case.policy.without_assertion
    system = Profession(name="system", reads=ALL_OF_IT, levels=frozenset(LEVELS))
    reads, adds = rule.reads and case.is_open, rule.writes and case.takes_documents
    words = (
        f"nobody is named: such a request {'reads' if reads else 'reads nothing'}, {'adds' if adds else 'adds nothing'}"
    )
    return Standing(
        grants=(Grant(rights=case.policy.rights(system), hidden=case.hidden_from(EVERYBODY)),) if reads else (),
        adds=((system.name, case.policy.kinds(ALL_OF_IT)),) if adds else (),
        reasons=(Reason("without assertion", Effect.ALLOWS if reads else Effect.DENIES, words),),
    )


def _own(case: Case) -> Iterator[Standing]:
    """The patient, or who represents them: no mask and no exclusion is for them, and no state but the last one."""
    kinds = case.kinds()
    lines = (
        (RelationshipKind.PATIENT, case.policy.patient),
        (RelationshipKind.REPRESENTATIVE, case.policy.representative),
    )
    for kind, profession in lines:
        if kind not in kinds or not case.has_purpose(case.policy.purposes.own):
            continue
        if case.facts.state(case.now) is RecordState.DELETED:
            yield Standing(reasons=(Reason("record", Effect.DENIES, "the record is deleted"),))
            continue
        grants = (Grant(rights=case.policy.rights(profession)),)
        adds = ((profession.name, case.policy.kinds(profession.writes)),) if profession.writes else ()
        words = f"the person is the patient's {kind.value}" if kind is not RelationshipKind.PATIENT else "the patient"
        yield Standing(grants=grants, adds=adds, reasons=(Reason("own record", Effect.ALLOWS, words),))


def _denials(case: Case) -> Iterator[Reason]:
    """What shuts a professional out, whatever else there is; every one of it, for who explains it."""
    policy = case.policy
    if not case.takes_documents:
        yield Reason("record", Effect.DENIES, f"the record is {_state(case)}, which lets no professional in")
    if case.is_excluded():
        yield Reason("exclusion", Effect.DENIES, "the patient shut the person or their organisation out")
    if not case.professions:
        yield Reason("profession", Effect.DENIES, "no role of the assertion is in the policy's matrix")
    if not case.has_purpose(policy.purposes.care | policy.emergency.purposes if policy.purposes.care else frozenset()):
        yield Reason("purpose", Effect.DENIES, "the purpose of use is none for which the policy lets professionals in")


def _notes(case: Case) -> Iterator[Reason]:
    effect = Effect.NOTES if case.is_open else Effect.DENIES
    yield Reason("record", effect, f"the record is {_state(case)}")


def _state(case: Case) -> str:
    state = case.facts.state(case.now)
    return state.value if state else "not there yet"


def _related(case: Case) -> Iterator[tuple[Reason, Grant]]:
    """Each profession of somebody who has to do with the patient."""
    kinds = sorted(case.cares())
    for profession in case.professions if kinds else ():
        grant = Grant(rights=case.policy.rights(profession), hidden=case.hidden_from(profession.name))
        words = f"{', '.join(kinds)} of the patient: reads as {profession.name}"
        yield Reason("relationship", Effect.ALLOWS, words), grant


def _in_emergency(case: Case) -> Iterator[tuple[Reason, Grant]]:
    """The glass that this very person broke, for requests that say that it is an emergency."""
    rules = case.policy.emergency
    if not rules.purposes or not case.has_purpose(rules.purposes):
        return
    for each in case.opened():
        hidden = frozenset() if rules.shows_masked else case.hidden_from(EVERYBODY) | _hidden_from_any(case)
        rights = case.policy.emergency_rights(each.level)
        words = f"broke the glass until {each.until:%Y-%m-%d %H:%M} UTC: {rights.name}"
        yield Reason("emergency", Effect.ALLOWS, words), Grant(rights=rights, hidden=hidden)


def may_break_glass(case: Case) -> bool:
    """Claim that an emergency would open the record for this person now."""
    rules = case.policy.emergency
    entitled = {each.name for each in case.professions} & rules.professions
    asks = bool(rules.purposes) and case.has_purpose(rules.purposes)
    return asks and bool(entitled) and case.is_open and not case.is_excluded()


def _hidden_from_any(case: Case) -> frozenset[UniqueId]:
    return frozenset(each for profession in case.professions for each in case.hidden_from(profession.name))


def _author(case: Case) -> str | None:
    """XCN.1 of the person's own documents. What the patient hid stays hidden from its author as well."""
    covered = case.policy.author is Covers.PERSON and case.principal is not None
    return case.principal.npi if covered and case.principal else None


def _authorship(author: str | None) -> Reason:
    words = f"documents whose author is {author} are seen" if author else "is not for this person"
    return Reason("author", Effect.ALLOWS if author else Effect.NOTES, words)


def _adds(case: Case) -> Iterator[tuple[str, Categories]]:
    """What each profession adds: with a relationship or in an emergency, or for anybody."""
    present = bool(case.cares()) or any(True for _ in _in_emergency(case))
    for profession in case.professions:
        if profession.writes and (present or profession.adds_for_anybody):
            yield profession.name, case.policy.kinds(profession.writes)


def judge(standing: Standing, document: Described) -> tuple[bool, tuple[Reason, ...]]:
    """Whether the person sees the document, and what each grant says of it."""
    verdicts = [_judge(grant, document) for grant in standing.grants]
    verdicts += [_written(standing, document)] if standing.author else []
    if not verdicts:
        return False, (Reason("default", Effect.DENIES, "nothing lets the person in"),)
    return any(seen for seen, _ in verdicts), tuple(reason for _, reason in verdicts)


def _judge(grant: Grant, document: Described) -> tuple[bool, Reason]:
    against = list(_against(grant, document))
    if against:
        return False, Reason(grant.rights.name, Effect.DENIES, "; ".join(against))
    return True, Reason(grant.rights.name, Effect.ALLOWS, "reads this kind of document at this confidentiality")


def _against(grant: Grant, document: Described) -> Iterator[str]:
    if not grant.rights.categories.hold(document.class_code, document.type_code):
        yield f"does not read {document.class_code or '?'}, {document.type_code or '?'}"
    if not document.confidentiality or not grant.rights.confidentiality.issuperset(document.confidentiality):
        yield f"does not read confidentiality {', '.join(document.confidentiality) or 'unknown'}"
    if document.unique_id in grant.hidden:
        yield "the patient hid the document"


def _written(standing: Standing, document: Described) -> tuple[bool, Reason]:
    wrote = any(each.split("^")[0] == standing.author for each in document.authors)
    if wrote and document.unique_id in standing.hidden_from_author:
        return False, Reason("author", Effect.DENIES, "the patient hid the document")
    words = "the person wrote it" if wrote else "the person is not its author"
    return wrote, Reason("author", Effect.ALLOWS if wrote else Effect.DENIES, words)


ALL_OF_IT = frozenset({ALL})
