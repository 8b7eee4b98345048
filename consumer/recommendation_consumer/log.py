"""Log an invocation as JSON lines, through Powertools. Message bodies are never logged."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from aws_lambda_powertools import Logger

from recommendation_consumer.batch_result import BatchResult
from recommendation_consumer.failure import THROTTLED, UNREACHABLE
from recommendation_consumer.message import Message
from recommendation_consumer.plan import Plan
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED
from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION
from recommendation_shared.wording import plural

_execution: Final = attrgetter("incident_id", "execution_id")
_LOGGED_EXECUTIONS: Final = 10  # with a line each; a full batch may hold hundreds
_LOGGED_MESSAGES: Final = 1_000  # IDs in a line: 40 KB of the 256 KB that CloudWatch Logs accepts
# A retry or a deployment resolves these. Any other cause needs a person, so it is logged as an error.
_WARNINGS: Final = frozenset({THROTTLED, DEADLINE_EXCEEDED, UNREACHABLE, UNKNOWN_SCHEMA_VERSION})


def context_keys(plan: Plan, request_id: str, messages: Sequence[Message]) -> dict[str, str | int]:
    """Return the keys that every log line has.

    They include the execution and the trace header if the batch holds only one.
    """
    keys: dict[str, str | int] = {"function_request_id": request_id, "batchSize": len(messages)}
    match list({message.trace_header for message in messages}):
        case [str(trace_header)]:
            keys["traceHeader"] = trace_header
    executions = groupby(plan.writes.values(), key=_execution)
    execution = next(executions, (None,))[0]
    if execution is not None and next(executions, None) is None:
        keys["incidentId"], keys["executionId"] = execution
    return keys


def log_plan(logger: Logger, plan: Plan, unregistered: int = 0) -> None:
    """Log what is about to be written, with one line per execution, and how many agent types are left unregistered."""
    if unregistered:
        logger.warning(
            "Left %s unregistered, because there are too many: does an agent type contain an ID?",
            plural(unregistered, "agent type"),
            extra={"unregistered": unregistered},
        )
    executions = Counter(map(_execution, plan.writes.values()))
    headers = ((_execution(write), write.messages[0].trace_header) for write in plan.writes.values())
    traces = {execution: {"traceHeader": header} for execution, header in headers if header is not None}
    for (incident_id, execution_id), count in executions.most_common(_LOGGED_EXECUTIONS):
        logger.info(
            "Persisting %s for %s",
            plural(count, "recommendation"),
            incident_id,
            extra={
                "incidentId": incident_id,
                "executionId": execution_id,
                "count": count,
                **traces.get((incident_id, execution_id), {}),
            },
        )
    rest = executions.most_common()[_LOGGED_EXECUTIONS:]
    if rest:
        total = sum(count for _, count in rest)
        logger.info(
            "Persisting %s for %s",
            plural(total, "recommendation"),
            plural(len(rest), "more execution"),
            extra={"count": total},
        )


def log_result(logger: Logger, result: BatchResult) -> None:
    """Log what was stored, then what was not, by cause."""
    if result.stored:
        logger.info(
            "Successfully persisted %s",
            plural(len(result.stored), "recommendation"),
            extra={
                "persisted": len(result.stored),
                "duplicates": result.duplicates,
                "expired": result.expired,
                "deadLettered": result.dead_lettered.total(),
                "failed": len(result.failures),
                "durationMs": round(result.write_ms, 1),
            },
        )
    if result.expired:
        logger.info(
            "Acknowledged %s past retention", plural(result.expired, "message"), extra={"expired": result.expired}
        )
    for start in range(0, len(result.erased), _LOGGED_MESSAGES):
        message_ids = result.erased[start : start + _LOGGED_MESSAGES]
        logger.info(
            "Acknowledged %s of erased incidents, unstored",
            plural(len(message_ids), "message"),
            extra={"erased": len(message_ids), "messageIds": message_ids},
        )
    if result.throttled:
        throttled = plural(result.throttled, "request")
        logger.warning("DynamoDB throttled %s", throttled, extra={"throttled": result.throttled})
    for reason, count in result.dead_lettered.items():
        logger.warning(
            "Dead-lettered %s: %s", plural(count, "message"), reason, extra={"reason": reason, "count": count}
        )
    for cause, count in result.dead_letter_errors.items():
        logger.error(
            "Could not dead-letter %s: %s", plural(count, "message"), cause, extra={"cause": cause, "count": count}
        )
    for error_type, count in Counter(result.failures.values()).items():
        level = logger.warning if error_type in _WARNINGS else logger.error
        level(
            "Left %s to be retried: %s",
            plural(count, "message"),
            error_type,
            extra={"errorType": error_type, "count": count},
        )
