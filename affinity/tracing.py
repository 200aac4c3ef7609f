"""Traces by OpenTelemetry, sent over OTLP/HTTP: the extra ``otel`` of the package, and off without a setting.

Spans have names and circumstances. No exception's text, no parameter, no id of a patient is in any.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from affinity.data_directory import UnusableData
from affinity.settings import Tracing
from affinity.spans import Tracer, span
from ihe.exchange import Part
from xds.documents import Content, DocumentStore

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import SpanKind

TRACES = "/v1/traces"
"""Where a collector takes traces, below its address (OTLP/HTTP)."""


def tracer(settings: Tracing) -> Tracer | None:
    """What the settings ask for. Raises UnusableData where the extra is not installed."""
    if settings.endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UnusableData("tracing.endpoint needs an extra: pip install 'affinity-ihe[otel]'") from error
    exporter = OTLPSpanExporter(endpoint=settings.endpoint.rstrip("/") + TRACES)
    return OpenTelemetry(BatchSpanProcessor(exporter), settings.sample_ratio)


class OpenTelemetry:
    """Makes spans with OpenTelemetry's own library."""

    def __init__(self, processor: "SpanProcessor", sample_ratio: float = 1.0) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        named = Resource.create({"service.name": "affinity", "service.version": version("affinity-ihe")})
        self._provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(sample_ratio)), resource=named)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("affinity")

    def request(self, traceparent: str | None) -> AbstractContextManager[object]:
        """A header that is none begins a trace of its own."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = {"traceparent": traceparent} if traceparent else {}
        above = TraceContextTextMapPropagator().extract(carried, Context())
        return self._span("request", above, SpanKind.SERVER)

    def part(self, name: str) -> AbstractContextManager[object]:
        """A child of what this thread does."""
        return self._span(name)

    def describe(self, transaction: str, outcome: str, correlation: str) -> None:
        """Name the request after its transaction."""
        from opentelemetry.trace import get_current_span

        this = get_current_span()
        this.update_name(transaction)
        said = {"ihe.transaction": transaction, "affinity.outcome": outcome, "affinity.correlation": correlation}
        this.set_attributes(said)

    def end(self) -> None:
        """Send what waits, within the time of the exporter."""
        self._provider.shutdown()

    @contextmanager
    def _span(self, name: str, above: "Context | None" = None, kind: "SpanKind | None" = None) -> Iterator[object]:
        """An exception is told by its kind alone: its text may quote what was received."""
        from opentelemetry.trace import SpanKind, StatusCode

        begun = self._tracer.start_as_current_span(
            name, above, kind or SpanKind.INTERNAL, record_exception=False, set_status_on_exception=False
        )
        with begun as made:
            try:
                yield made
            except BaseException as error:
                made.set_status(StatusCode.ERROR)
                made.set_attribute("error.type", type(error).__qualname__)
                raise


class TracedStore:
    """A document store whose durable steps are spans."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def adopting(self, parts: Iterable[Part], referenced: Callable[[str], bool]) -> Iterator[None]:
        """The span ends when the bytes are durable; what is done under their lock is not the store's."""
        with ExitStack() as held:
            with span("store"):
                held.enter_context(self._store.adopting(parts, referenced))
            yield

    def check(self, content: Content) -> None:
        """Look whether the bytes are there."""
        with span("store"):
            self._store.check(content)

    def read(self, content: Content) -> bytes:
        """Read a small document."""
        with span("store"):
            return self._store.read(content)


def traced(store: DocumentStore, settings: Tracing) -> DocumentStore:
    """The store as it is, unless somebody traces."""
    return store if settings.endpoint is None else TracedStore(store)
