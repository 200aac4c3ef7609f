"""The answers to ``pix`` and ``pdq``, as tables and as JSON."""

from dataclasses import asdict
from typing import Any

from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.verbs import ExitCode, Output
from affinity.client.patients import Found, Patient
from ihe.datatypes import CX


def show_identifiers(found: Found, output: Output) -> ExitCode:
    """The ids, or why there are none."""
    ids = [each for patient in found.patients for each in patient.identifiers]
    if output.as_json:
        print_json(_summary(found) | {"identifiers": list(map(_identifier, ids))})
        return _exit_code(found)
    if ids:
        rows = ((each.id, each.authority.namespace_id, each.authority.universal_id) for each in ids)
        print_table(("id", "authority", "OID"), rows)
    return _conclude(found, "The patient is known, and has no other id there.")


def show_patients(found: Found, output: Output) -> ExitCode:
    """The patients, or why there are none."""
    if output.as_json:
        print_json(_summary(found) | {"patients": list(map(_patient, found.patients))})
        return _exit_code(found)
    if found.patients:
        _print_patients(found)
    if found.remaining:
        print_line(f"... and {found.remaining} more (--limit)")
    return _conclude(found, "Nobody there is like this.")


def show_suggestions(found: Found) -> None:
    """Whom a person may have meant; nothing where the server cannot say."""
    if found.accepted and found.patients:
        print_line("Did you mean:")
        _print_patients(found)


def _print_patients(found: Found) -> None:
    columns = ("family", "given", "born", "sex", "city", "ids")
    if all(each.match_degree is None for each in found.patients):
        return print_table(columns, map(_row, found.patients))
    rows = ((f"{each.match_degree} %", *_row(each)) for each in found.patients)
    return print_table(("match", *columns), rows)


def _conclude(found: Found, nothing: str) -> ExitCode:
    for remark in found.remarks:
        print_line(str(remark), "red" if remark.severity == "E" else "")
    if found.accepted and not found.patients:
        print_line(nothing)
    elif not found.accepted and not found.remarks:
        print_line(f"The question was answered with {found.code or 'no acknowledgement'} and no reason.", "red")
    return _exit_code(found)


def _exit_code(found: Found) -> ExitCode:
    return ExitCode.DONE if found.accepted else ExitCode.REFUSED


def _row(patient: Patient) -> tuple[str, ...]:
    named = ((each.id, each.authority.namespace_id or each.authority.universal_id) for each in patient.identifiers)
    ids = "  ".join(f"{id}^^^{authority}" for id, authority in named)
    return (patient.family, patient.given, patient.birth_date, patient.sex, patient.city, ids)


def _summary(found: Found) -> dict[str, Any]:
    return {
        "acknowledgement": found.code,
        "outcome": found.outcome,
        "remaining": found.remaining,
        "remarks": [asdict(each) for each in found.remarks],
    }


def _patient(patient: Patient) -> dict[str, Any]:
    said = asdict(patient)
    return {**said, "identifiers": list(map(_identifier, patient.identifiers))}


def _identifier(identifier: CX) -> dict[str, str]:
    authority = identifier.authority
    return {"id": identifier.id, "namespace_id": authority.namespace_id, "oid": authority.universal_id}
