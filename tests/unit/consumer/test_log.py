"""The log lines that an operator sees, and the content that must never be in them."""

import json
from contextlib import suppress
from io import StringIO
from itertools import count
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ReadTimeoutError

from recommendation_consumer.invocation import NothingStoredError
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import Context, bodies, body, event, record
from tests.support.lambdas.invoke import invoke

Line = dict[str, Any]
_number = count()


class Log:
    """The log of one sandbox."""

    def __init__(self) -> None:
        self._stream = StringIO()
        # A unique name, because Python caches loggers by name, and Powertools keeps their streams.
        self._logger = Logger(service=f"consumer-{next(_number)}", stream=self._stream)

    async def of(
        self,
        messages: Any,
        table: FakeTable | None = None,
        queue: FakeDeadLetterQueue | None = None,
        context: Context | None = None,
    ) -> list[Line]:
        """Run an invocation, which may raise; return its lines."""
        start = self._stream.tell()
        with suppress(NothingStoredError):
            await invoke(messages, table, queue, context, logger=self._logger)
        return [json.loads(line) for line in self._stream.getvalue()[start:].splitlines()]


@pytest.fixture
def log() -> Log:
    """Return the log of a new sandbox."""
    return Log()


def _messages(lines: list[Line], level: str) -> list[str]:
    return [line["message"] for line in lines if line["level"] == level]


async def test_batch_of_one_execution_is_named_and_counted(log: Log) -> None:
    """An operator looks for these two lines."""
    lines = await log.of(event(*bodies(7)))
    assert [line["message"] for line in lines] == [
        "Persisting 7 recommendations for incident-123",
        "Successfully persisted 7 recommendations",
    ]
    for line in lines:
        assert (line["incidentId"], line["executionId"], line["batchSize"]) == ("incident-123", "execution-1", 7)
        assert line["function_request_id"] == "request-1"
    assert {name: lines[1][name] for name in ("persisted", "duplicates", "expired", "deadLettered", "failed")} == {
        "persisted": 7,
        "duplicates": 0,
        "expired": 0,
        "deadLettered": 0,
        "failed": 0,
    }
    assert lines[1]["durationMs"] >= 0


async def test_single_recommendation_is_logged_in_the_singular(log: Log) -> None:
    """People read this line."""
    lines = await log.of(event(body()))
    assert lines[0]["message"] == "Persisting 1 recommendation for incident-123"


async def test_mixed_batch_has_a_line_per_execution(log: Log) -> None:
    """At most ten of them, because a full batch may hold hundreds of executions."""
    texts = [body(incident_id=f"incident-{number}") for number in range(12)] + [body("other", incident_id="incident-0")]
    lines = await log.of(event(*texts))
    started = [line["message"] for line in lines if line["message"].startswith("Persisting")]
    assert started[0] == "Persisting 2 recommendations for incident-0"
    assert started[10:] == ["Persisting 2 recommendations for 2 more executions"]
    assert "incidentId" not in lines[-1]


async def test_expired_message_is_logged(log: Log) -> None:
    """It is acknowledged and not stored, so the log is its only trace."""
    late = record("m0", body(retention=1), ApproximateFirstReceiveTimestamp="1769960800000")
    lines = await log.of({"Records": [late]})
    assert [line["message"] for line in lines] == ["Acknowledged 1 message past retention"]


async def test_trace_headers_are_logged(log: Log) -> None:
    """With every line if the batch has only one; otherwise with the line of their execution."""
    lines = await log.of({"Records": [record("m0", body(), AWSTraceHeader="Root=1")]})
    assert {line["traceHeader"] for line in lines} == {"Root=1"}
    other = record("m1", body("other", execution_id="execution-2"), AWSTraceHeader="Root=2")
    lines = await log.of({"Records": [record("m0", body(), AWSTraceHeader="Root=1"), other]})
    assert [(line.get("executionId"), line.get("traceHeader")) for line in lines] == [
        ("execution-1", "Root=1"),
        ("execution-2", "Root=2"),
        (None, None),
    ]


async def test_throttling_is_logged_as_a_warning(log: Log) -> None:
    """A retry resolves it."""
    lines = await log.of(event(*bodies(5)), FakeTable(2, last=2))
    assert _messages(lines, "WARNING")[-1] == "Left 2 messages to be retried: Throttled"
    assert _messages(lines, "WARNING")[0].startswith("DynamoDB throttled ")
    assert not _messages(lines, "ERROR")


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException", "UnrecognizedClientException"],
)
async def test_systemic_error_is_logged_as_an_error(log: Log, code: str) -> None:
    """A person must act."""
    lines = await log.of(event(*bodies(5)), FakeTable(last=client_error(code)))
    assert _messages(lines, "ERROR") == [f"Left 5 messages to be retried: {code}"]
    assert lines[-1]["errorType"] == code
    assert "Successfully" not in str(lines)


async def test_unreachable_table_is_logged_as_a_warning(log: Log) -> None:
    """An outage ends on its own."""
    unreachable = ReadTimeoutError(endpoint_url="http://table")
    lines = await log.of(event(*bodies(5)), FakeTable(last=unreachable))
    assert _messages(lines, "WARNING") == ["Left 5 messages to be retried: Unreachable"]
    assert not _messages(lines, "ERROR")


async def test_missed_deadline_is_logged_as_a_warning(log: Log) -> None:
    """SQS redelivers the messages."""
    lines = await log.of(event(*bodies(5)), FakeTable(last="hang"), context=Context(remaining_ms=100))
    assert _messages(lines, "WARNING") == ["Left 5 messages to be retried: DeadlineExceeded"]


async def test_newer_schema_version_is_logged_as_a_warning(log: Log) -> None:
    """The next deployment resolves it."""
    lines = await log.of(event(body().replace('"schemaVersion":1', '"schemaVersion":2')))
    assert _messages(lines, "WARNING") == ["Left 1 message to be retried: UnknownSchemaVersion"]


async def test_message_without_a_body_is_logged_as_an_error(log: Log) -> None:
    """SQS never delivers one, so a person must find out why."""
    lines = await log.of(event("", body()))
    assert _messages(lines, "ERROR") == ["Left 1 message to be retried: NoBody"]


async def test_dead_letters_are_counted_by_reason(log: Log) -> None:
    """As a warning, because a person will have to decide about them."""
    lines = await log.of(event("poison", "poison", body()))
    assert _messages(lines, "WARNING") == ["Dead-lettered 2 messages: InvalidJson"]


async def test_failed_dead_letter_is_logged_as_an_error_with_its_cause(log: Log) -> None:
    """The messages are safe in the queue, but the permission is missing."""
    lines = await log.of(event("poison", body()), queue=FakeDeadLetterQueue(error=client_error("AccessDenied")))
    assert _messages(lines, "ERROR") == [
        "Could not dead-letter 1 message: AccessDenied",
        "Left 1 message to be retried: DeadLetterFailed",
    ]


async def test_no_line_quotes_a_body(log: Log) -> None:
    """Nor DynamoDB's error messages, which quote the item."""
    secret = "a-secret-value"  # noqa: S105 - a marker
    texts = [body(reasoning=secret, recommendation={secret: secret}), f"{secret} is not JSON"]
    lines = await log.of(event(*texts), FakeTable(last=client_error("AccessDeniedException")))
    lines += await log.of(event(*texts), FakeTable(client_error("ValidationException")))
    assert lines
    assert secret not in json.dumps(lines)


async def test_keys_do_not_leak_into_the_next_invocation(log: Log) -> None:
    """A warm sandbox may go on to store another incident."""
    await log.of(event(body()))
    lines = await log.of(event("poison"))
    assert lines
    assert all("incidentId" not in line and "executionId" not in line for line in lines)
    assert {line["batchSize"] for line in lines} == {1}


async def test_keys_do_not_leak_after_a_failure(log: Log) -> None:
    """Even if the invocation raised."""
    await log.of(event(body()), FakeTable(last=client_error("AccessDeniedException")))
    assert all("incidentId" not in line for line in await log.of(event("poison")))
