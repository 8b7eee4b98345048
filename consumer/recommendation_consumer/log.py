"""The log lines of an invocation: JSON through Powertools, and never a message's body."""

from collections import Counter
from itertools import groupby
from operator import attrgetter
from typing import Final

from aws_lambda_powertools import Logger

from recommendation_consumer.batch_result import BatchResult
from recommendation_consumer.failure import THROTTLED, UNREACHABLE
from recommendation_consumer.plan import Plan
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED
from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION

_execution: Final = attrgetter("incident_id", "execution_id")
_LOGGED_EXECUTIONS: Final = 10  # each with its own line; a full batch may hold hundreds
# Expected to be cured by a retry or a deployment. Anything else needs a person, so it is logged as an error.
_WARNINGS: Final = frozenset({THROTTLED, DEADLINE_EXCEEDED, UNREACHABLE, UNKNOWN_SCHEMA_VERSION})


def context_keys(plan: Plan, request_id: str, batch_size: int) -> dict[str, str | int]:
    """Return the keys of every line of an invocation, its execution included when the batch holds only one."""
    common: dict[str, str | int] = {"function_request_id": request_id, "batchSize": batch_size}
    executions = groupby(plan.writes.values(), key=_execution)
    execution = next(executions, (None,))[0]
    if execution is not None and next(executions, None) is None:
        common["incidentId"], common["executionId"] = execution
    return common


def log_plan(logger: Logger, plan: Plan) -> None:
    """Log what is about to be written, one line per execution."""
    executions = Counter(map(_execution, plan.writes.values()))
    for (incident_id, execution_id), count in executions.most_common(_LOGGED_EXECUTIONS):
        logger.info(
            "Persisting %s for %s",
            _recommendations(count),
            incident_id,
            extra={"incidentId": incident_id, "executionId": execution_id, "count": count},
        )
    rest = executions.most_common()[_LOGGED_EXECUTIONS:]
    if rest:
        total = sum(count for _, count in rest)
        logger.info("Persisting %s of %d more executions", _recommendations(total), len(rest), extra={"count": total})


def log_result(logger: Logger, result: BatchResult) -> None:
    """Log what was stored and, by cause, what was not."""
    if result.stored:
        logger.info(
            "Successfully persisted %s",
            _recommendations(len(result.stored)),
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
        logger.info("Acknowledged %s past retention", _messages(result.expired), extra={"expired": result.expired})
    if result.throttled:
        logger.warning("DynamoDB throttled %d writes", result.throttled, extra={"throttled": result.throttled})
    for reason, count in result.dead_lettered.items():
        logger.warning("Dead-lettered %s: %s", _messages(count), reason, extra={"reason": reason, "count": count})
    for cause, count in result.dead_letter_errors.items():
        logger.error("Could not dead-letter %s: %s", _messages(count), cause, extra={"cause": cause, "count": count})
    for error_type, count in Counter(result.failures.values()).items():
        level = logger.warning if error_type in _WARNINGS else logger.error
        level(
            "Left %s to be retried: %s", _messages(count), error_type, extra={"errorType": error_type, "count": count}
        )


def _recommendations(count: int) -> str:
    return f"{count} recommendation{'' if count == 1 else 's'}"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
