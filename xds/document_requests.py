"""DocumentRequest, the common part of Retrieve Document Set and Remove Documents (ITI TF-2: 3.43.5; RMD 3.86.4.1.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml.etree import _Element

from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, Rejected, Severity
from ihe.identifiers import UniqueId
from ihe.partners import Forgive, Quirk
from xds.responses import ResponseStatus

XDS_B = "urn:ihe:iti:xds-b:2007"
DOCUMENT_REQUEST = f"{{{XDS_B}}}DocumentRequest"
DOCUMENT_UNIQUE_ID = f"{{{XDS_B}}}DocumentUniqueId"
REPOSITORY_UNIQUE_ID = f"{{{XDS_B}}}RepositoryUniqueId"
HOME_COMMUNITY_ID = f"{{{XDS_B}}}HomeCommunityId"
URN_OID = "urn:oid:"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRequest:
    """One document that a request names. The ids are kept as sent, because answers repeat them."""

    document_unique_id: UniqueId
    repository_unique_id: str
    home_community_id: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who answers: the repository's id, its community's, and the section that says what to answer to others' ids."""

    repository_unique_id: str
    home_community_id: str
    citation: Citation

    def breaches(self, request: DocumentRequest, forgive: Forgive) -> tuple[Breach, ...]:
        """Why a request is not for this repository of this community, if it is not."""
        repository, community = request.repository_unique_id, request.home_community_id
        if repository == self.repository_unique_id and community in (None, self.home_community_id):
            return ()
        return tuple(self._misdirections(request, forgive))

    def _misdirections(self, request: DocumentRequest, forgive: Forgive) -> Iterator[Breach]:
        if not names(request.repository_unique_id, self.repository_unique_id, forgive):
            yield self._misdirected(
                ErrorCode.UNKNOWN_REPOSITORY_ID,
                "The repositoryUniqueId is not the one of this Document Repository",
                request,
                (request.repository_unique_id, self.repository_unique_id),
            )
        community = request.home_community_id
        if community is not None and not names(community, self.home_community_id, forgive):
            yield self._misdirected(
                ErrorCode.UNKNOWN_COMMUNITY,
                "The homeCommunityId is not the one of this community",
                request,
                (community, self.home_community_id),
            )

    def unknown(self, unique_id: UniqueId) -> Breach:
        """Say that the document is not here. A removed and a never stored document are answered alike."""
        return Breach(
            code=ErrorCode.DOCUMENT_UNIQUE_ID_ERROR,
            text=f"This Document Repository has no document with the DocumentUniqueId {unique_id}",
            location=unique_id,
            citation=self.citation,
        )

    def _misdirected(self, code: ErrorCode, text: str, request: DocumentRequest, ids: tuple[str, str]) -> Breach:
        observed, expected = ids
        same = observed.removeprefix(URN_OID) == expected.removeprefix(URN_OID)
        return Breach(
            code=code,
            text=f"{text}; DocumentUniqueId {request.document_unique_id}",
            location=request.document_unique_id,
            observed=observed,
            expected=expected,
            citation=self.citation,
            remedy="Only the prefix urn:oid: differs: send the id exactly as a query returns it" if same else "",
        )


def status(done: int, breaches: Iterable[Breach]) -> ResponseStatus:
    """All, some or none of the documents (ITI TF-3: Table 4.2.4.2-4; RMD Table 4.2.4.2-6)."""
    if all([breach.severity is Severity.WARNING for breach in breaches]):
        return ResponseStatus.SUCCESS
    return ResponseStatus.PARTIAL_SUCCESS if done else ResponseStatus.FAILURE


def names(sent: str, known: str, forgive: Forgive) -> bool:
    """Claim that ``sent`` names ``known``.

    Quirk *oid-prefix*: partners mix ``1.2.3`` and ``urn:oid:1.2.3``, although repositoryUniqueId has no prefix and
    homeCommunityId has one (ITI TF-3: Table 4.2.3.2-1). Where that is forgiven the prefix is ignored: no other
    repository or community can be meant.
    """
    if sent == known:
        return True
    return sent.removeprefix(URN_OID) == known.removeprefix(URN_OID) and forgive(Quirk.OID_PREFIX)


def decode_requests(body: _Element, citation: Citation) -> tuple[DocumentRequest, ...]:
    """Read the DocumentRequest elements of a request in their order; Rejected names every one that is incomplete."""
    requests = tuple([_decode(element) for element in body.findall(DOCUMENT_REQUEST)])
    if not requests:
        text = "A request names at least one document in a DocumentRequest element"
        raise Rejected(_malformed(text, body.tag, citation))
    if not all([each.repository_unique_id and each.document_unique_id for each in requests]):
        raise Rejected(*_incomplete(requests, citation))
    return requests


def _decode(element: _Element) -> DocumentRequest:
    return DocumentRequest(
        document_unique_id=UniqueId(_text(element, DOCUMENT_UNIQUE_ID)),
        repository_unique_id=_text(element, REPOSITORY_UNIQUE_ID),
        home_community_id=_text(element, HOME_COMMUNITY_ID) or None,
    )


def _incomplete(requests: tuple[DocumentRequest, ...], citation: Citation) -> Iterator[Breach]:
    for number, each in enumerate(requests, 1):
        sent = {"RepositoryUniqueId": each.repository_unique_id, "DocumentUniqueId": each.document_unique_id}
        for name in (name for name, id in sent.items() if not id):
            yield _malformed(f"Each DocumentRequest has a {name}", f"DocumentRequest[{number}]/{name}", citation)


def _malformed(text: str, location: str, citation: Citation) -> Breach:
    # Table 4.2.4.1-2 has no code for a request that the schema forbids, which leaves the general one.
    return Breach(code=ErrorCode.REPOSITORY_ERROR, text=text, location=location, citation=citation)


def _text(element: _Element, name: str) -> str:
    """The text of a child without surrounding white space, as the framework's own samples show it."""
    return (element.findtext(name) or "").strip()
