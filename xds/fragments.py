"""Stored ebRIM of one object, and how an answer is spliced from it (ITI TF-3: 4.2; bytes are spliced, not built).

A fragment is the object's element, cut by NUL bytes (which XML cannot hold) where values go that may change after
registration: status and home; lastUpdateTime of a Folder; version; patientId. The prefix ``rim`` must be declared by
the surrounding element, as in ``RIM_DECLARATION``. It is stored packed (``xds.compact``).
"""

from functools import lru_cache

from ihe.datatypes import CX
from soap.xml import escape
from xds.compact import unpack
from xds.model import AvailabilityStatus

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RIM_DECLARATION = b'xmlns:rim="%s"' % RIM.encode()
CUT = b"\0"
_STATUS = {status: b' status="%s"' % status.value.encode() for status in AvailabilityStatus}


def splice(
    fragment: bytes,
    *,
    status: AvailabilityStatus | None,
    home: str | None,
    version: int | None,
    patient_id: bytes | None = None,
    last_update_time: str | None = None,
) -> bytes:
    """The whole element of an object. Associations take no ``patient_id``; only Folders take ``last_update_time``.

    ``fragment`` is packed or not. ``patient_id`` is ``spelled``: all objects of an answer name the same few patients.
    What is None is left out, as in a submission.
    """
    whole = unpack(fragment)
    slots = whole.index(CUT)  # asking for each place is a third of what split() takes, which looks at every byte
    rest = whole.index(CUT, slots + 1)
    tail = whole.find(CUT, rest + 1)
    return b"".join(
        (
            whole[:slots],
            _STATUS[status] if status is not None else b"",
            _home(home) if home is not None else b">",
            _last_update_time(last_update_time) if last_update_time is not None else b"",
            whole[slots + 1 : rest],
            _version(version) if version is not None else b"",
            whole[rest + 1 :] if tail < 0 else whole[rest + 1 : tail],
            patient_id or b"",
            b"" if tail < 0 else whole[tail + 1 :],
        )
    )


def object_ref(entry_uuid: str, home: str | None = None) -> bytes:
    """The element rim:ObjectRef (ITI TF-2: 3.18.4.1.2.3.2)."""
    return b'<rim:ObjectRef id="%s"%s' % (escape(entry_uuid), _reference_end(home))


@lru_cache(maxsize=64)
def _reference_end(home: str | None) -> bytes:
    return b"/>" if home is None else b' home="%s"/>' % escape(home)


@lru_cache(maxsize=64)
def _home(home: str) -> bytes:
    return b' home="%s">' % escape(home)


@lru_cache(maxsize=64)
def _version(number: int) -> bytes:
    return b'<rim:VersionInfo versionName="%d"/>' % number


def spelled(patient_id: CX) -> bytes:
    """A patient id as ``splice`` takes it."""
    return escape(str(patient_id))


def _last_update_time(dtm: str) -> bytes:
    return (
        b'<rim:Slot name="lastUpdateTime"><rim:ValueList><rim:Value>%s</rim:Value></rim:ValueList></rim:Slot>'
        % escape(dtm)
    )
