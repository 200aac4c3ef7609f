"""``affinity up``: a node with its own certificate authority, its own security token service, and a demonstration."""

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from twisted.internet.threads import deferToThread

from affinity import logs
from affinity.catalogue import TRANSACTIONS
from affinity.demo.endpoints import print_endpoints
from affinity.demo.on_demand import DemonstrationContent
from affinity.demo.play import play
from affinity.demo.stage import Stage
from affinity.domain import load
from affinity.domain_model import LoadedDomain
from affinity.doors import audiences, issuers, xua_mode
from affinity.lifecycle import run
from affinity.node import Node, open_node, utc_now
from affinity.pki import DevelopmentPKI, development_pki, issue_to_partners
from affinity.processors import chosen
from affinity.server import Doors, Server
from affinity.settings import Settings
from affinity.station import alone
from affinity.stewardship.access import DEVELOPER, development_token, digest
from consent.model import Act, RelationshipKind, professional
from consent.recording import relate
from ihe.datatypes import CX
from ihe.durable import make_directory
from ihe.transactions import Actor
from pix.manager import PatientIndex
from tls.files import TLS
from xua.people import PEOPLE, DemoRole
from xua.sts import DevelopmentSTS, open_sts
from xua.trust import TrustedIssuer
from xua.trust13 import ISSUE_TOKEN
from xua.verifier import Verifier

STS_ISSUER = "urn:affinity:development:sts"
STS_PROFILE = "affinity"


def run_development(settings: Settings, *, demo: bool, exit_after_demo: bool) -> int:
    """Serve until stopped. With ``exit_after_demo`` the exit code is 0 only if every step of it held."""
    logs.configure(as_json=settings.log.format == "json", level="error" if demo else settings.log.level)
    loaded = load(settings.domain)
    make_directory(settings.data)
    pki = development_pki(settings.data / "pki")
    issue_to_partners(settings.data / "pki", loaded.agreements)
    settings.stewards = {**settings.stewards, DEVELOPER: digest(development_token(settings.data))}
    sts = open_sts(STS_ISSUER, pki.sts.key.read_bytes(), pki.sts.certificate.read_bytes())
    node, doors = _node(settings, loaded, sts), _doors(settings, loaded, pki, sts)

    async def after_start(server: Server) -> int | None:
        stage = Stage(
            loaded=loaded,
            listen=settings.listen,
            ports=server.ports,
            pki=pki,
            sts=sts,
            mode=doors.mode,
            audience=audiences(settings, loaded)[0],
            declare=partial(declare, node),
        )
        return await _perform(stage, demo=demo, exit_after_demo=exit_after_demo)

    station = alone(settings, plain=True, secured=True)
    transactions = (*TRANSACTIONS, ISSUE_TOKEN)
    return run(
        lambda reactor: Server(reactor, settings, node, doors, transactions, station), after_start, chosen(settings)
    )


def declare(node: Node, patient_id: CX, role: DemoRole, reason: str) -> int:
    """Declare that a demo person treats a patient, as `affinity consent relate` would; the number of the event."""
    index: PatientIndex = node.ports[Actor.PIX_MANAGER]
    doctor, act = professional(PEOPLE[role].npi or ""), Act(actor="affinity up", reason=reason, at=utc_now())

    def work(connection: Connection) -> int:
        patient = index.resolve(connection, patient_id)
        return relate(connection, patient, doctor, RelationshipKind.TREATING_DOCTOR, act) if patient else 0

    return node.database.write(work)


def _node(settings: Settings, loaded: LoadedDomain, sts: DevelopmentSTS) -> Node:
    """A node that also plays the security token service, and makes a document for any on-demand entry."""
    if settings.on_demand.provider is None:
        settings.on_demand.provider = DemonstrationContent()
    node = open_node(settings, loaded)
    return replace(node, ports={**node.ports, Actor.X_ASSERTION_PROVIDER: sts})


def _doors(settings: Settings, loaded: LoadedDomain, pki: DevelopmentPKI, sts: DevelopmentSTS) -> Doors:
    trusted = issuers(settings, loaded, own_issuer(sts, loaded))
    shown = TLS(certificate=pki.server.certificate, key=pki.server.key, authorities=pki.authority.certificate)
    return Doors(
        tls=replace(shown, pinned=loaded.partners.pinned, revocation_lists=settings.certificates.revocation_lists),
        calling=replace(shown, certificate=pki.client.certificate, key=pki.client.key),
        mode=xua_mode(settings, loaded),
        verifier=Verifier(trusted.store, audiences(settings, loaded), profiles=loaded.token_profiles),
        issuers=trusted,
        plain=True,
    )


def own_issuer(sts: DevelopmentSTS, loaded: LoadedDomain) -> TrustedIssuer:
    """The development STS as an issuer that a node trusts."""
    profile = loaded.token_profiles[STS_PROFILE]
    return TrustedIssuer(entity_id=sts.issuer, certificates=(sts.certificate,), profile=profile)


async def _perform(stage: Stage, *, demo: bool, exit_after_demo: bool) -> int | None:
    """Play the demonstration, then say what to try next or which exit code it earns."""
    held = await deferToThread(play, stage) if demo else True
    if exit_after_demo:
        return 0 if held else 1
    print_endpoints(stage)
    return None
