"""What to try next: the endpoints of the running node, and lines to copy."""

from rich.markup import escape
from rich.table import Table

from affinity.catalogue import PATHS, TRANSACTIONS, AnyTransaction, hl7v2_transactions, soap_endpoints
from affinity.demo.play import console
from affinity.demo.stage import Stage
from affinity.demo.story import FAMILY, RECORD_NUMBER
from ihe.transactions import Actor
from xua.trust13 import ISSUE_TOKEN


def print_endpoints(stage: Stage) -> None:
    """Print the table of endpoints and the lines to copy."""
    table = Table(title="Endpoints", title_justify="left", title_style="bold")
    for column in ("where", "what"):
        table.add_column(column, overflow="fold")
    for scheme in ("mllp", "mllps"):
        if scheme in stage.ports:
            table.add_row(f"{scheme}://{stage.host}:{stage.ports[scheme]}", _named(hl7v2_transactions(TRANSACTIONS)))
    for path, transactions in soap_endpoints((*TRANSACTIONS, ISSUE_TOKEN)).items():
        table.add_row(f"http://{stage.host}:{stage.ports['http']}{path}", _named(transactions))
    table.add_row(f"https://{stage.host}:{stage.ports['https']}/...", "the same, with mutual TLS")
    console.print(table)
    console.print("\n[bold]Try[/bold]")
    for line in _lines(stage):
        console.print(f"  {escape(line)}")
    console.print("\nCtrl-C stops the server.\n")


def _named(transactions: tuple[AnyTransaction, ...]) -> str:
    return ", ".join(each.id for each in transactions)


def _lines(stage: Stage) -> tuple[str, ...]:
    http, mllp = f"http://{stage.host}:{stage.ports['http']}", f"{stage.host}:{stage.ports['mllp']}"
    registry, repository = http + PATHS[Actor.DOCUMENT_REGISTRY], http + PATHS[Actor.DOCUMENT_REPOSITORY]
    patient_id = f"'{RECORD_NUMBER}^^^&{stage.shared.oid}&ISO'"
    patient = f"--patient-id {patient_id} --sts {http}{PATHS[Actor.X_ASSERTION_PROVIDER]}"
    pki, domain = stage.pki, stage.loaded.affinity_domain.name
    return (
        f"affinity pdq --mllp {mllp} --family '{FAMILY}'",
        f"affinity pix ids --mllp {mllp} {patient_id}",
        f"affinity query --registry {registry} {patient}",
        f"affinity submit README.md --mime-type text/plain --domain {domain} --repository {repository} {patient}",
        f"curl '{registry}?wsdl'",
        f"curl {http}/health/ready",
        f"curl {http}/metrics",
        f"curl --cacert {pki.authority.certificate} --cert {pki.client.certificate} --key {pki.client.key}"
        f" https://localhost:{stage.ports['https']}/health/live",
    )
