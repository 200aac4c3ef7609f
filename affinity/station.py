"""Where a serving process stands: alone, or as one worker of several under a parent."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from affinity.allowances import Allowances
from affinity.listening import Sockets, bind_all
from affinity.measures import Measured
from affinity.ports_file import PORTS, publish
from affinity.settings import Settings

log = structlog.get_logger()

Wake = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a server finds done by others, or does itself.

    ``heed`` is given what wakes the couriers, once this process is on duty; it calls it when another has news for them.
    """

    open: Callable[[], Sockets]
    publish: Callable[[dict[str, int]], None]
    withdraw: Callable[[], None]
    heed: Callable[[Wake], None]
    allowances: Allowances
    share: Callable[[Measured], Measured]
    """Given what is measured of this process, what ``/metrics`` is to read when it is asked."""


def alone(settings: Settings, *, plain: bool, secured: bool) -> Station:
    """The one process of a node, which binds its ports itself and tells them in ``ports.json``."""
    file = settings.data / PORTS

    def tell(ports: dict[str, int]) -> None:
        publish(file, ports)
        log.info("listening", host=settings.listen.host, **ports)

    return Station(
        open=lambda: bind_all(settings.listen, plain=plain, secured=secured),
        publish=tell,
        withdraw=lambda: file.unlink(missing_ok=True),
        heed=lambda _wake: None,
        allowances=Allowances(),
        share=lambda measured: measured,
    )
