"""One node: the database, the document store, and the responder actors that answer from them."""

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from affinity.access import access
from affinity.audited_database import AuditedDatabase
from affinity.auditing import this_node
from affinity.consent_documents import ConsentDocuments
from affinity.data_directory import UnusableData, lock_data
from affinity.database import Database
from affinity.document_store import open_store
from affinity.domain import locate
from affinity.domain_model import LoadedDomain, Repository, Subscriber
from affinity.hidden_successors import HiddenSuccessors, Witnesses
from affinity.hl7_sources import HL7Sources
from affinity.migrations import is_up_to_date, upgrade
from affinity.notifications import Couriers
from affinity.outages import remedy
from affinity.partners import Partners
from affinity.record_life import follower
from affinity.rematch_note import keep_note
from affinity.seal_files import require_key
from affinity.settings import Settings
from affinity.slow_queries import watch
from affinity.spans import end_tracing, trace_with
from affinity.terms import FLOORS, Terms, of_node
from affinity.tracing import traced, tracer
from atna.trail import AuditTrail
from consent.policy import Mode
from ihe.domain import AffinityDomain
from ihe.durable import make_directory, write_whole
from ihe.exchange import Transactor
from ihe.transactions import Actor
from pix.found import Limits
from pix.manager import PatientIndex
from pix.notifications import Outbox
from pix.store_notifications import forget_lists, give_up_others
from xds.documents import DocumentStore
from xds.on_demand import OnDemandDocumentSource
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository
from xds.snapshots import Snapshots
from xds.witness import NOBODY, Witness

INDEX = frozenset({Actor.PIX_MANAGER, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, Actor.PATIENT_ENCOUNTER_CONSUMER})
"""Whose queries a replica may answer. The registry's as well, but where access rights hold: what a patient hid a moment
ago must be hidden, and only the primary knows it at once."""
DATABASES = ("postgresql", "sqlite")
DOMAIN_NOTE = "domain.txt"
"""File of the data directory that names the domain's directory, for clients on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Everything of a node but its listeners, and the consumers that its couriers tell."""

    database: Database
    store: DocumentStore
    ports: Mapping[Actor, Any]
    sources: HL7Sources
    trail: AuditTrail
    domain: AffinityDomain
    subscribers: tuple[Subscriber, ...]
    repositories: tuple[Repository, ...]
    partners: Partners
    couriers: Couriers
    may_lag: frozenset[Actor]
    lock: int

    def close(self) -> None:
        """Let go of the database, the validator and the data directory once no request is under way."""
        self.sources.close()
        self.database.close()
        end_tracing()
        os.close(self.lock)


def utc_now() -> datetime:
    """The clock of every actor: aware, in UTC (ITI TF-2: 3.1)."""
    return datetime.now(UTC)


def open_node(settings: Settings, loaded: LoadedDomain) -> Node:
    """Open or create the data directory, migrate the database, clear up after a crash."""
    make_directory(settings.data)
    with ExitStack() as undone:
        lock = lock_data(settings.data)
        undone.callback(os.close, lock)
        (settings.data / FLOORS).unlink(missing_ok=True)
        write_whole(settings.data / DOMAIN_NOTE, f"{locate(settings.domain).resolve()}\n".encode(), mode=0o644)
        database = open_database(settings, of_node(settings))
        undone.callback(database.close)
        require_key(database.engine, settings.data)
        node = _node(settings, loaded, database, lock)
        repository: DocumentRepository = node.ports[Actor.DOCUMENT_REPOSITORY]
        node.store.sweep(repository.is_referenced, time.time())
        undone.pop_all()
    return node


def join_node(settings: Settings, loaded: LoadedDomain, lock: int, wake: Callable[[], None]) -> Node:
    """Work in a data directory that a parent has opened, and whose lock it has handed down.

    ``wake`` tells the process that is on duty that there is news for subscribers. Raises UnusableData for a database
    that an older version made.
    """
    database = Database(settings.database, of_node(settings))
    if not is_up_to_date(database.engine):
        database.close()
        raise UnusableData("the database is another version's: stop the node, and start it again to migrate")
    return _node(settings, loaded, database, lock, wake)


def _node(
    settings: Settings, loaded: LoadedDomain, database: Database, lock: int, wake: Callable[[], None] | None = None
) -> Node:
    database.write(lambda connection: _settle_subscribers(connection, loaded))
    keep_note(settings.data, loaded.matching.active, settings.matching.mode)
    watch(database.engines, settings.log.slow_query_seconds)
    trace_with(tracer(settings.tracing))
    store = traced(open_store(settings), settings.tracing)
    couriers = Couriers()
    trail = open_trail(settings, loaded, database)
    return Node(
        database=database,
        store=store,
        ports=_ports(settings, loaded, AuditedDatabase(database), store, wake or couriers.wake, trail),
        sources=HL7Sources.of(loaded.organizations),
        trail=trail,
        domain=loaded.affinity_domain,
        subscribers=loaded.subscribers,
        repositories=loaded.repositories,
        partners=loaded.partners,
        couriers=couriers,
        may_lag=INDEX if loaded.access.mode is not Mode.OPEN else INDEX | {Actor.DOCUMENT_REGISTRY},
        lock=lock,
    )


def open_database(settings: Settings, terms: Terms) -> Database:
    """Open and migrate. A database that cannot be reached is another matter than one that cannot be read."""
    try:
        if make_url(settings.database).get_backend_name() not in DATABASES:
            raise UnusableData("database_url names neither PostgreSQL (postgresql+psycopg://...) nor SQLite")
        database = Database(settings.database, terms)
        upgrade(database.engine)
    except (ArgumentError, NoSuchModuleError) as error:
        raise UnusableData(f"database_url is no URL of a database: {error}") from error
    except sqlite3.DatabaseError as error:  # at the first connection, the driver's own
        raise _unusable(settings, error) from error
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError):
            raise _unusable(settings, error.orig) from error
        raise
    return database


def _unusable(settings: Settings, error: Exception) -> UnusableData:
    file = settings.database.removeprefix("sqlite:///")
    return UnusableData(f"{file} cannot be used: {error}; {remedy(error)}")


def open_trail(settings: Settings, loaded: LoadedDomain, database: Database) -> AuditTrail:
    """Where this process records what happens."""
    node = this_node(settings.audit.source_id, loaded.affinity_domain.home_community_id)
    return AuditTrail(database=database, node=node)


def _settle_subscribers(connection: Connection, loaded: LoadedDomain) -> None:
    """Who is told no more leaves nothing behind that could be told as news when it is told again."""
    if not loaded.subscribers:
        forget_lists(connection)
    give_up_others(connection, [each.name for each in loaded.subscribers])


def open_index(
    settings: Settings, loaded: LoadedDomain, database: Transactor[Connection], wake: Callable[[], None] = lambda: None
) -> PatientIndex:
    """The patient index with the matching that is in force. ``wake`` is called when there is news for subscribers."""
    return PatientIndex(
        domain=loaded.affinity_domain,
        database=database,
        clock=utc_now,
        matching=loaded.matching.active,
        mode=settings.matching.mode,
        shadow=loaded.matching.shadow,
        survivorship=loaded.survivorship,
        search_limits=Limits(settings.searching.seconds, settings.searching.listed),
        outbox=Outbox(subscriptions=tuple(each.subscription for each in loaded.subscribers), wake=wake),
        follow=follower(loaded),
    )


def _ports(
    settings: Settings,
    loaded: LoadedDomain,
    database: Transactor[Connection],
    store: DocumentStore,
    wake: Callable[[], None],
    trail: AuditTrail,
) -> dict[Actor, Any]:
    """The responder actors of this node."""
    domain, index = loaded.affinity_domain, open_index(settings, loaded, database, wake)
    rights = access(loaded.access, database, index, trail)
    registry = DocumentRegistry(
        domain=domain,
        database=database,
        patients=index,
        clock=utc_now,
        witness=_witness(loaded, index, store),
        access=rights,
    )
    repository = DocumentRepository(
        unique_id=domain.repository_unique_id,
        home_community_id=domain.home_community_id,
        database=database,
        store=store,
        registry=registry,
        on_demand=_on_demand(settings, domain, index),
        access=rights,
    )
    return {
        Actor.DOCUMENT_REGISTRY: registry,
        Actor.DOCUMENT_REPOSITORY: repository,
        Actor.PIX_MANAGER: index,
        Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: index,
        Actor.PATIENT_ENCOUNTER_CONSUMER: index,
    }


def _witness(loaded: LoadedDomain, index: PatientIndex, store: DocumentStore) -> Witness:
    """Who lets consent documents take effect, and keeps hidden what succeeds hidden documents, in such domains."""
    told: list[Witness] = []
    if loaded.record is not None:
        told.append(
            ConsentDocuments(
                rules=loaded.record,
                patients=index,
                documents=store,
                repository_unique_id=loaded.affinity_domain.repository_unique_id,
                clock=utc_now,
            )
        )
    if loaded.access.mode is not Mode.OPEN:
        told.append(HiddenSuccessors(index=index, clock=utc_now))
    return Witnesses(tuple(told)) if told else NOBODY


def _on_demand(settings: Settings, domain: AffinityDomain, patients: PatientIndex) -> OnDemandDocumentSource | None:
    """The source of on-demand documents, if somebody makes them."""
    if settings.on_demand.provider is None:
        return None
    code = min(domain.codes.get("contentTypeCode", ()), key=str, default=None)
    keeps = settings.on_demand.keep_snapshots and code is not None
    snapshots = Snapshots(source_id=domain.repository_unique_id, content_type_code=code) if keeps and code else None
    return OnDemandDocumentSource(provider=settings.on_demand.provider, patients=patients, snapshots=snapshots)
