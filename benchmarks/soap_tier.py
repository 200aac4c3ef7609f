"""The SOAP tier alone: the product's server on a handler that splices prepared fragments, without a database.

``python -m benchmarks.soap_tier FILE`` with an AdhocQueryResponse prints its port and serves until it is ended.
"""

import sys
from pathlib import Path
from typing import Any

from twisted.internet import default
from twisted.internet.defer import maybeDeferred

from benchmarks.fragments import load
from ihe.exchange import Sink, SOAPReply, SOAPRequest
from soap.context import SOAPContext
from soap.server import build_site
from xds.iti18 import ITI_18


def main(file: Path) -> None:
    """Serve ITI-18 on any free port."""
    default.install()
    from twisted.internet import reactor

    loop: Any = reactor
    prepared = load(file)

    def answer(transaction: object, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        return SOAPReply(prepared.splice())

    query: Any = ITI_18
    site = build_site({"/xds/registry": (query,)}, answer, no_documents, public_url="http://127.0.0.1", reactor=loop)
    site.defer = maybeDeferred  # nothing here blocks
    listening = loop.listenTCP(0, site, interface="127.0.0.1")
    print(listening.getHost().port, flush=True)
    loop.run()


def no_documents() -> Sink:
    """Nobody sends any here."""
    raise RuntimeError("a query brings no documents")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
