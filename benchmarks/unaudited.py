"""``affinity`` without an audit trail, for the benchmark that asks what the trail costs; no setting can do this."""

from affinity import server
from affinity.cli import main
from affinity.outcomes import UNAUDITED


def run() -> None:
    """Run the command line with a server whose requests are not audited."""
    server.Auditor = lambda *_of_node: UNAUDITED  # type: ignore[attr-defined,assignment,misc,return-value]
    main()


if __name__ == "__main__":
    run()
