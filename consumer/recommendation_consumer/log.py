"""What an invocation logs: JSON lines through Powertools, and never a message's body."""

from collections import Counter
from itertools import groupby
from operator import attrgetter
from typing import Final

from aws_lambda_powertools import Logger

from recommendation_consumer.aws_error import DEADLINE_EXCEEDED, THROTTLED, UNREACHABLE
from recommendation_consumer.outcome import Outcome
from recommendation_consumer.plan import Plan
from recommendation_shared.envelope.reading import UNKNOWN_SCHEMA_VERSION

_execution: Final = attrgetter("incident_id", "execution_id")
_MOST_EXECUTIONS: Final = 10  # with a line of their own; a full batch may hold hundreds
# What a retry or a deployment is expected to cure. Anything else needs somebody to look, so it is an error.
_WARNINGS: Final = frozenset({THROTTLED, DEADLINE_EXCEEDED, UNREACHABLE, UNKNOWN_SCHEMA_VERSION})


def context_keys(plan: Plan, request_id: str, batch_size: int) -> dict[str, str | int]:
    """Return what every line of an invocation carries: its execution too, when the batch holds but one."""
    common: dict[str, str | int] = {"function_request_id": request_id, "batchSize": batch_size}
    executions = groupby(plan.writes.values(), key=_execution)
    execution = next(executions, (None,))[0]
    if execution is not None and next(executions, None) is None:
        common["incidentId"], common["executionId"] = execution
    return common


def log_plan(logger: Logger, plan: Plan) -> None:
    """Log what is about to be written, one line for each execution."""
    executions = Counter(map(_execution, plan.writes.values()))
    for (incident_id, execution_id), count in executions.most_common(_MOST_EXECUTIONS):
        logger.info(
            "Persisting %s for %s",
            _recommendations(count),
            incident_id,
            extra={"incidentId": incident_id, "executionId": execution_id, "count": count},
        )
    rest = executions.most_common()[_MOST_EXECUTIONS:]
    if rest:
        total = sum(count for _, count in rest)
        logger.info("Persisting %s of %d more executions", _recommendations(total), len(rest), extra={"count": total})


def log_outcome(logger: Logger, outcome: Outcome) -> None:
    """Log what was stored and, by cause, what was not."""
    if outcome.stored:
        logger.info(
            "Successfully persisted %s",
            _recommendations(len(outcome.stored)),
            extra={
                "persisted": len(outcome.stored),
                "duplicates": outcome.duplicates,
                "expired": outcome.expired,
                "deadLettered": outcome.dead_lettered.total(),
                "failed": len(outcome.failures),
                "durationMs": round(outcome.write_ms, 1),
            },
        )
    if outcome.expired:
        logger.info("Acknowledged %s past retention", _messages(outcome.expired), extra={"expired": outcome.expired})
    if outcome.throttled:
        logger.warning("DynamoDB throttled %d writes", outcome.throttled, extra={"throttled": outcome.throttled})
    for reason, count in outcome.dead_lettered.items():
        logger.warning("Dead-lettered %s: %s", _messages(count), reason, extra={"reason": reason, "count": count})
    for cause, count in outcome.dead_letter_errors.items():
        logger.error("Could not dead-letter %s: %s", _messages(count), cause, extra={"cause": cause, "count": count})
    for error_type, count in Counter(outcome.failures.values()).items():
        level = logger.warning if error_type in _WARNINGS else logger.error
        level(
            "Left %s to be retried: %s", _messages(count), error_type, extra={"errorType": error_type, "count": count}
        )


def _recommendations(count: int) -> str:
    return f"{count} recommendation{'' if count == 1 else 's'}"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
