"""Document Source, Repository towards its registry, Consumer, Administrator (ITI TF-2: 3.18, 3.41-3.43, 3.57, 3.62)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml.etree import _Element

from affinity.client import responses
from affinity.client.bindings import soap_binding
from affinity.client.stored_queries import find_query, slots
from affinity.client.xds import provide_and_register, retrieve, stored_query
from conformance.counterparts.metadata import Document
from conformance.counterparts.soap import Called, Content, SOAPCaller, as_bytes
from conformance.system import System
from ihe.exchange import OutgoingPart
from ihe.transactions import Actor
from soap.xml import escape
from xds.document_requests import XDS_B
from xds.ebrim_writing import encode
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti42 import ITI_42
from xds.iti43 import ITI_43
from xds.iti51 import ITI_51
from xds.iti57 import ITI_57
from xds.iti61 import ITI_61
from xds.iti62 import ITI_62
from xds.iti86 import ITI_86
from xds.model import Submission

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
SUBMIT = f'<lcm:SubmitObjectsRequest xmlns:lcm="{LCM}">%b</lcm:SubmitObjectsRequest>'.encode()
REMOVE = (
    f'<lcm:RemoveObjectsRequest xmlns:lcm="{LCM}"><rim:ObjectRefList xmlns:rim="{RIM}">%b</rim:ObjectRefList>'
    "</lcm:RemoveObjectsRequest>"
).encode()


REMOVE_DOCUMENTS = (
    f'<rmd:RemoveDocumentsRequest xmlns:rmd="urn:ihe:iti:rmd:2017" xmlns:xdsb="{XDS_B}">%b</rmd:RemoveDocumentsRequest>'
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentActors:
    """The counterparts of registry and repository. Each call returns what came, right or wrong."""

    system: System
    caller: SOAPCaller
    provided: list[str] = field(default_factory=list)
    """The uniqueIds of what was sent to the repository."""

    def register(self, what: Submission | Content) -> Called:
        """ITI-42, as a Document Repository; ``what`` may be a ready body."""
        content = submit_objects(what) if isinstance(what, Submission) else as_bytes(what)
        return self._ask_registry(ITI_42, content)

    def update(self, what: Submission | Content) -> Called:
        """ITI-57, as a Document Administrator."""
        content = submit_objects(what) if isinstance(what, Submission) else as_bytes(what)
        return self._ask_registry(ITI_57, content)

    def promise(self, what: Submission | Content) -> Called:
        """ITI-61, as an On-Demand Document Source."""
        content = submit_objects(what) if isinstance(what, Submission) else as_bytes(what)
        return self._ask_registry(ITI_61, content)

    def remove_metadata(self, ids: Iterable[str]) -> Called:
        """ITI-62."""
        refs = b"".join(b'<rim:ObjectRef id="%b"/>' % escape(each) for each in ids)
        return self._ask_registry(ITI_62, REMOVE % refs)

    def query(self, name: str, *parameters: tuple[str, str], return_type: str = "LeafClass") -> Called:
        """ITI-18 by the name of the stored query (``FindDocuments``); a status that is required is Approved."""
        query = find_query(name)
        return self.ask(stored_query(query.id, slots(query, None, (), parameters), return_type))

    def query_patients(self, name: str, *parameters: tuple[str, str]) -> Called:
        """ITI-51 by the name of the stored query, of any number of patients."""
        query = find_query(name)
        return self._ask_registry(ITI_51, stored_query(query.id, slots(query, None, (), parameters)))

    def ask(self, body: Content) -> Called:
        """ITI-18 with a ready body."""
        return self._ask_registry(ITI_18, as_bytes(body))

    def provide(self, what: Submission, documents: Iterable[Document]) -> Called:
        """ITI-41, as a Document Source: each document a part of the package."""
        parts = tuple(_parts(documents))
        body = provide_and_register(what, (each.content_id for each in parts))
        self.provided.extend(str(each.unique_id) for each in what.document_entries)
        url = self.system.url(Actor.DOCUMENT_REPOSITORY)
        return self.caller.call(ITI_41, soap_binding(ITI_41), url, (body,), parts)

    def retrieve(self, *wanted: tuple[str, str]) -> Called:
        """ITI-43 for pairs of repositoryUniqueId and uniqueId."""
        url = self.system.url(Actor.DOCUMENT_REPOSITORY)
        return self.caller.call(ITI_43, soap_binding(ITI_43), url, (retrieve(wanted),))

    def remove_documents(self, *unwanted: tuple[str, str]) -> Called:
        """ITI-86 for pairs of repositoryUniqueId and uniqueId."""
        url = self.system.url(Actor.DOCUMENT_REPOSITORY)
        requests = b"".join(
            b"<xdsb:DocumentRequest><xdsb:RepositoryUniqueId>%b</xdsb:RepositoryUniqueId>"
            b"<xdsb:DocumentUniqueId>%b</xdsb:DocumentUniqueId></xdsb:DocumentRequest>"
            % (escape(repository), escape(document))
            for repository, document in unwanted
        )
        return self.caller.call(ITI_86, soap_binding(ITI_86), url, (REMOVE_DOCUMENTS % requests,))

    def _ask_registry(self, transaction: object, content: bytes) -> Called:
        url = self.system.url(Actor.DOCUMENT_REGISTRY)
        return self.caller.call(transaction, soap_binding(transaction), url, (content,))  # type: ignore[arg-type]


def submit_objects(what: Submission) -> bytes:
    """SubmitObjectsRequest (ITI TF-2: 3.42.4.1.2)."""
    return SUBMIT % encode(what)


def found_ids(called: Called) -> set[str]:
    """The ids of an answer, of objects or of ObjectRefs. AssertionError if there is no answer."""
    objects, _ = responses.objects(called.body)
    return {each.entry_uuid for each in objects} | set(responses.object_refs(called.body))


def delivered(called: Called) -> dict[str, bytes]:
    """The bytes of retrieved documents by uniqueId."""
    assert called.answer is not None, called.told
    by_part = {id(part): content for part, content in called.documents}
    found = responses.documents(called.answer)
    return {each.unique_id: _content(each.content, by_part) for each in found}


def _content(content: object, by_part: dict[int, bytes]) -> bytes:
    return content if isinstance(content, bytes) else by_part[id(content)]


def _parts(documents: Iterable[Document]) -> Iterator[OutgoingPart]:
    for number, each in enumerate(documents, start=1):
        yield OutgoingPart(
            content_id=f"document{number}@conformance",
            media_type=each.entry.mime_type or "application/octet-stream",
            size=len(each.content),
            chunks=lambda content=each.content: iter((content,)),  # type: ignore[misc]
        )


def first(body: _Element, name: str) -> _Element:
    """The first element of this local name. AssertionError if there is none."""
    found = next(body.iter(f"{{*}}{name}"), None)
    assert found is not None, f"no {name} in {body.tag}"
    return found
