"""The requests that a steward can make, and what each does; plain functions that run in a worker thread."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import structlog

from affinity.stewardship import bodies
from affinity.stewardship.access import StewardName, Stewards
from affinity.stewardship.bodies import Body, identifier
from affinity.stewardship.calls import Asked, Audited, Call, Reply, unaudited
from affinity.stewardship.counted import Counted
from affinity.stewardship.problems import Problem, refused, wrong
from affinity.stewardship.shapes import Plain, Shapes
from pix.choices import Choice, Ruling
from pix.event_log import LATEST
from pix.manager import PatientIndex
from pix.model import Identifier, Origin
from pix.stewardship import Stale, Stewardship
from pix.store_worklist import MOST, TaskFilter
from pix.tasks import Kind
from pix.worklist import Worklist

log = structlog.get_logger()

FILTERS = ("kind", "authority", "source", "owner", "id", "after", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class StewardshipAPI:
    """Answers every request below ``/pix/stewardship``."""

    index: PatientIndex
    stewards: Stewards
    counted: Counted = field(default_factory=Counted)
    audit: Callable[[Call], AbstractContextManager[Audited]] = unaudited

    def __call__(self, call: Call) -> Reply:
        """Answer one request; what nobody foresaw is raised."""
        with self.audit(call) as audited:
            reply = self._reply(call, audited)
            audited.answered(reply.status)
        return reply

    def _reply(self, call: Call, audited: Audited) -> Reply:
        correlation = uuid.uuid4().hex
        steward: StewardName | None = None
        try:
            steward = self.stewards.authenticate(call.authorization, call.peer, secure=call.secure)
            audited.steward = steward
            reply = Reply(status=200, content=self._answer(Asked(call=call, steward=steward, correlation=correlation)))
        except Exception as error:
            problem = refused(error)
            if problem is None:
                raise
            reply = Reply(status=problem.status, content=problem.plain(correlation))
        what = call.path[0][:20] if call.path else ""
        log.info("stewardship", steward=steward, what=what, status=reply.status, correlation=correlation)
        return reply

    @property
    def shapes(self) -> Shapes:
        """How values are written."""
        return Shapes(self.index.domain)

    def _answer(self, asked: Asked) -> Plain:
        match asked.call.path:
            case ("tasks",):
                return self._only(asked, "GET", self._tasks)
            case ("tasks", text):
                return self._only(asked, "GET", lambda one: self._read(one, _task_number(text)))
            case ("tasks", text, "assign"):
                return self._only(asked, "POST", lambda one: self._assign(one, _task_number(text)))
            case ("tasks", text, "decision"):
                return self._only(asked, "POST", lambda one: self._decide(one, _task_number(text)))
            case (name,) if name in READS:
                return self._only(asked, "GET", lambda one: READS[name](self, one))
            case (name,) if name in DECLARATIONS:
                return self._only(asked, "POST", lambda one: self._declare(one, name))
        raise Problem(404, "unknown-path", "Nothing is here", where="path")

    def _only(self, asked: Asked, method: str, work: Callable[[Asked], Plain]) -> Plain:
        if asked.call.method != method:
            raise Problem(405, "method", f"Only {method} is understood here", where="method")
        return work(asked)

    def _tasks(self, asked: Asked) -> Plain:
        given = asked.parameters(*FILTERS)
        wanted = TaskFilter(
            kind=_kind(given["kind"]) if "kind" in given else None,
            authority=self._authority(given["authority"]) if "authority" in given else None,
            source=given.get("source"),
            owner=given.get("owner"),
            record=self._key(given["id"]) if "id" in given else None,
            after=bodies.number(given.get("after", "0"), "after"),
            limit=bodies.number(given.get("limit", str(MOST)), "limit"),
        )
        return self.shapes.listed(Worklist(index=self.index).tasks(wanted))

    def _read(self, asked: Asked, number: int) -> Plain:
        asked.parameters()
        return self._task(number)

    def _task(self, number: int) -> Plain:
        found = Worklist(index=self.index).task(number)
        if found is None:
            raise Problem(404, "unknown-task", f"There is no task {number}", where="path")
        return self.shapes.dossier(found)

    def _assign(self, asked: Asked, number: int) -> Plain:
        body = asked.body
        body.only("owner", "version", "reason")
        owner = body.members.get("owner", asked.steward)
        if owner is not None and not (isinstance(owner, str) and owner in self.stewards.digests):
            raise wrong(f"owner is null or one of {', '.join(self.stewards.digests)}", "owner")
        reason = body.reason if "reason" in body.members else None
        version = body.number("version")
        work = Stewardship(index=self.index)
        return self._changed(number, lambda: work.assign(number, version, owner, asked.origin(reason)))

    def _decide(self, asked: Asked, number: int) -> Plain:
        body = asked.body
        body.only("choice", "version", "reason", "surviving", "leaving")
        ruling = self._ruling(body)
        version, origin = body.number("version"), asked.origin(body.reason)
        work = Stewardship(index=self.index)
        return self._changed(number, lambda: work.decide(number, version, ruling, origin))

    def _changed(self, number: int, work: Callable[[], None]) -> Plain:
        """The task after a change; where it was changed meanwhile, the task as it is now stands beside the error."""
        try:
            work()
        except Stale as stale:
            problem = refused(stale)
            assert problem is not None
            problem.detail = {"task": self._task(number)}
            raise problem from stale
        return self._task(number)

    def _ruling(self, body: Body) -> Ruling:
        try:
            choice = Choice(body.text("choice", 20))
        except ValueError:
            raise wrong(f"choice is one of {', '.join(Choice)}", "choice") from None
        member = {Choice.MERGE: "surviving", Choice.SPLIT: "leaving"}.get(choice)
        for each in ("surviving", "leaving"):
            if each in body.members and each != member:
                raise wrong(f"{each} does not belong to {choice.value}", each)
        named = member is not None and member in body.members
        chosen = self._id(body.text(member, bodies.LONGEST_ID), member) if member and named else None
        return Ruling(choice=choice, chosen=chosen)

    def _declare(self, asked: Asked, name: str) -> Plain:
        body = asked.body
        body.only("ids", "reason")
        count, work = DECLARATIONS[name]
        ids = [self._id(each, "ids") for each in body.texts("ids", count)]
        work(Stewardship(index=self.index), ids, asked.origin(body.reason))
        return {"done": name, "ids": body.members["ids"]}

    def explain(self, asked: Asked) -> Plain:
        """Why two ids are one person, or two."""
        given = asked.parameters("one", "other")
        one, other = (self._id(given.get(each, ""), each) for each in ("one", "other"))
        if one == other:
            raise wrong("Both ids are the same one", "other")
        found = Worklist(index=self.index).explain(one, other)
        if found is None:
            raise Problem(404, "unknown-id", "One of the ids is not known", where="one, other")
        return self.shapes.explanation(found)

    def records(self, asked: Asked) -> Plain:
        """One record and its history."""
        given = asked.parameters("id", "before", "limit")
        before = bodies.number(given["before"], "before") if "before" in given else LATEST
        most = max(1, min(bodies.number(given.get("limit", str(MOST)), "limit"), MOST))
        found = Worklist(index=self.index).record(self._id(given.get("id", ""), "id"), before, most)
        if found is None:
            raise Problem(404, "unknown-id", "The id is not known", where="id")
        return self.shapes.history(*found, most)

    def person(self, asked: Asked) -> Plain:
        """The golden view of a person, by any id in use."""
        found = Worklist(index=self.index).person(self._id(asked.parameters("id").get("id", ""), "id"))
        if found is None:
            raise Problem(404, "unknown-id", "The id is not in use", where="id")
        return self.shapes.person(found)

    def statistics(self, asked: Asked) -> Plain:
        """Counts by source, as of the last minute."""
        asked.parameters()
        sources, at = self.counted.by_source(self.index)
        return self.shapes.statistics(sources, at)

    def _id(self, text: str, where: str) -> Identifier:
        return identifier(text, self.index.domain, where)

    def _key(self, text: str) -> Any:
        key = Worklist(index=self.index).key(self._id(text, "id"))
        if key is None:
            raise Problem(404, "unknown-id", "The id is not known", where="id")
        return key

    def _authority(self, text: str) -> str:
        for each in self.index.domain.assigning_authorities:
            if text in (each.oid, each.namespace_id):
                return each.oid
        raise wrong("The assigning authority is none of this domain's", "authority")


READS: Mapping[str, Callable[[StewardshipAPI, Asked], Plain]] = {
    "explain": StewardshipAPI.explain,
    "person": StewardshipAPI.person,
    "records": StewardshipAPI.records,
    "statistics": StewardshipAPI.statistics,
}
DECLARATIONS: Mapping[str, tuple[int, Callable[[Stewardship, list[Identifier], Origin], None]]] = {
    "link": (2, lambda work, ids, origin: work.declare(ids[0], ids[1], origin, same=True)),
    "never-link": (2, lambda work, ids, origin: work.declare(ids[0], ids[1], origin, same=False)),
    "withdraw": (2, lambda work, ids, origin: work.withdraw(ids[0], ids[1], origin)),
    "split": (1, lambda work, ids, origin: work.split(ids[0], origin)),
    "unmerge": (1, lambda work, ids, origin: work.unmerge(ids[0], origin)),
}
"""How many ids each takes, and what it does."""


def _task_number(text: str) -> int:
    try:
        return bodies.number(text, "path")
    except Problem:
        raise Problem(404, "unknown-task", "A task has a number", where="path") from None


def _kind(text: str) -> Kind:
    try:
        return Kind(text.replace("-", " "))
    except ValueError:
        raise Problem(400, "parameter", f"kind is one of {', '.join(Kind)}", where="kind") from None
