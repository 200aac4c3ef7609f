"""One zip of a run: ``run.json`` with its schema, ``junit.xml``, ``report.html``, and every message as it was sent."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from pydantic import ValidationError

from conformance.evidence.junit import as_junit
from conformance.evidence.page import as_page
from conformance.evidence.record import RunFile, file_of, published_schema, recorded
from conformance.results import Run

RUN, SCHEMA, JUNIT, PAGE = "run.json", "run.schema.json", "junit.xml", "report.html"
NOTHING: Mapping[str, str] = MappingProxyType({})


class NotEvidence(ValueError):
    """A file is no bundle of a run; the text says why."""


def write(run: Run, file: Path, beside: Mapping[str, str] = NOTHING) -> None:
    """Write the bundle whole, or not at all; ``beside`` are files more. OSError: it cannot be written."""
    draft = file.with_name(f"{file.name}.part")
    with ZipFile(draft, "w", ZIP_DEFLATED) as bundle:
        bundle.writestr(RUN, recorded(run).model_dump_json(indent=1))
        bundle.writestr(SCHEMA, json.dumps(published_schema(), indent=1))
        bundle.writestr(JUNIT, as_junit(run))
        bundle.writestr(PAGE, as_page(run))
        for name, text in beside.items():
            bundle.writestr(name, text)
        for each in run.exchanges:
            bundle.writestr(file_of(each, each.request, "request"), each.request.as_bytes())
            if each.answer is not None:
                bundle.writestr(file_of(each, each.answer, "answer"), each.answer.as_bytes())
    draft.replace(file)


def read(file: Path) -> RunFile:
    """The run of a bundle. NotEvidence says why it is none; OSError: it cannot be read."""
    try:
        with ZipFile(file) as bundle:
            return RunFile.model_validate_json(bundle.read(RUN))
    except (BadZipFile, KeyError) as error:
        raise NotEvidence(f"{file} is no bundle of a run: {error}") from error
    except ValidationError as error:
        raise NotEvidence(f"{file}: {RUN} has another form than that of version 1: {error}") from error
