"""Steps about TLS that every client over HTTP shares (ITI TF-2: 3.19)."""

from conformance.clients.judging import declined
from conformance.clients.steps import Step
from conformance.simulators.simulator import DoorName

EXPIRED = Step(
    name="expired-certificate",
    ask="Point the client at {https_expired} and send: the server's certificate is over, so nothing may be sent.",
    judge=declined(DoorName.EXPIRED),
    door=DoorName.EXPIRED,
)
STRANGER = Step(
    name="unknown-authority",
    ask="Point the client at {https_stranger} and send: nobody trusts who issued that certificate, "
    "so nothing may be sent.",
    judge=declined(DoorName.STRANGER),
    covers=("ITI-19-014",),
    door=DoorName.STRANGER,
)
HTTPS_DOORS = (DoorName.HTTP, DoorName.HTTPS, DoorName.EXPIRED, DoorName.STRANGER)
