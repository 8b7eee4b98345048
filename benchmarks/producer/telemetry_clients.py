"""The telemetry clients' rows: each client has its defaults, and an exporter or transport that does nothing."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import sentry_sdk
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from posthog import Posthog
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from benchmarks.producer.latency import Subject


class _NoSpanExporter(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


class _NoLogExporter(LogRecordExporter):
    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True


class _NoTransport(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        pass


@contextmanager
def otel_span(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `on_end` of a span created untimed, with the recommendation as text."""
    span = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark").start_span("agent")
    span.set_attribute("recommendation", json.dumps(fields["recommendation"]))
    span.end()
    assert isinstance(span, ReadableSpan)  # noqa: S101 - for the type checker: the provider records
    processor = BatchSpanProcessor(_NoSpanExporter())
    yield Subject(lambda: processor.on_end(span), processor.force_flush)
    processor.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's own


@contextmanager
def otel_log(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `on_emit` of a record created untimed, with the recommendation as its body."""
    record = ReadWriteLogRecord(LogRecord(body=fields["recommendation"]))
    with _log_processor() as processor:
        yield Subject(lambda: processor.on_emit(record), processor.force_flush)


@contextmanager
def otel_log_of_text(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield what a caller must do for a safe snapshot: serialise, create the record, call `on_emit`."""
    recommendation = fields["recommendation"]

    def emit(processor: BatchLogRecordProcessor) -> None:
        processor.on_emit(ReadWriteLogRecord(LogRecord(body=json.dumps(recommendation))))

    with _log_processor() as processor:
        yield Subject(lambda: emit(processor), processor.force_flush)


@contextmanager
def _log_processor() -> Iterator[BatchLogRecordProcessor]:
    processor = BatchLogRecordProcessor(_NoLogExporter())
    yield processor
    processor.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's own


@contextmanager
def sentry(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `capture_message` with the recommendation as a context, without integrations, which would cost more."""
    contexts = {"recommendation": fields["recommendation"]}
    client = sentry_sdk.Client(
        dsn="http://key@127.0.0.1/1",
        transport=_NoTransport,
        default_integrations=False,
        auto_enabling_integrations=False,
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        yield Subject(lambda: sentry_sdk.capture_message("recommendation", contexts=contexts))
    client.close()


@contextmanager
def posthog(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `capture` with the recommendation as properties; its consumer thread runs, but posts nothing."""
    properties = fields["recommendation"]
    no_post: Callable[..., None] = lambda *_, **__: None  # noqa: E731 - a value to patch with
    with patch("posthog.consumer.batch_post", no_post):
        client = Posthog("key", host="http://127.0.0.1")
        yield Subject(
            lambda: client.capture("recommendation", distinct_id="executor", properties=properties), client.flush
        )
        client.shutdown()
