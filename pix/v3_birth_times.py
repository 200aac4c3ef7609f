"""LivingSubjectBirthTime: "an exact moment ..., an approximate date ..., or even a range" (ITI TF-2: 3.47.4.1.2.1)."""

from collections.abc import Iterator
from datetime import date, timedelta

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.datatypes import is_time
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_elements import attribute, child, children, location, time_stamp
from pix.v3_queries import PARAMETERS

EARLIEST, LATEST = "0000", "9999"
"""Bounds of an open range of birth times."""
BIRTH_TIME = f"{PARAMETERS}/livingSubjectBirthTime/value"


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table 3.47.4.1.2.2-1"))
def searched_birth_is_a_time_or_a_range(body: _Element) -> Iterator[Offence]:
    """LivingSubjectBirthTime is a value, or low and high in this order, each an existing YYYY[MM[DD[hh[mm[ss]]]]]."""
    for value in children(body, BIRTH_TIME):
        given = [text for text in (_exact(value), attribute(value, "low"), attribute(value, "high")) if text]
        if not given or not all(is_time(time_stamp(text)) for text in given) or child(value, "width") is not None:
            yield Offence(location(value), ", ".join(given))
        elif _range(value)[0] > _range(value)[1] + LATEST:
            yield Offence(location(value), " to ".join(given), "a range that ends after it begins")


def searched_birth(body: _Element) -> tuple[str, str] | None:
    """An inclusive range of DTM; a value of any precision covers its whole period."""
    value = child(body, BIRTH_TIME)
    return _range(value) if value is not None else None


def _exact(value: _Element) -> str | None:
    """The value, or the centre of an interval of which no width is said."""
    return (value.get("value") or "").strip() or attribute(value, "center")


def _range(value: _Element) -> tuple[str, str]:
    if exact := _exact(value):
        return time_stamp(exact), time_stamp(exact)
    return _bound(value, "low", 1) or EARLIEST, _bound(value, "high", -1) or LATEST


def _bound(value: _Element, name: str, inwards: int) -> str | None:
    """A bound that is not included moves inwards by one of its own periods."""
    text = attribute(value, name)
    if text is None:
        return None
    stamp = time_stamp(text)
    return _moved(stamp, inwards) if attribute(value, name, "inclusive") == "false" else stamp


def _moved(stamp: str, step: int) -> str:
    """The year, month or day after or before. Hours stay in their day, because births are compared by day."""
    if len(stamp) == 4:
        return f"{int(stamp) + step:04}"
    if len(stamp) == 6:
        year, month = divmod(int(stamp[:4]) * 12 + int(stamp[4:]) - 1 + step, 12)
        return f"{year:04}{month + 1:02}"
    try:
        moved = date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8])) + timedelta(days=step)
    except (ValueError, OverflowError):
        return stamp
    return moved.strftime("%Y%m%d") if len(stamp) == 8 else stamp
