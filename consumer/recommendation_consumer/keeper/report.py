"""Report an invocation of the keeper: metrics as EMF lines on stdout, and log lines. Values are never logged."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import orjson

from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.judgement import Judgement
from recommendation_consumer.keeper.letter import REASONS
from recommendation_consumer.keeper.result import KeepResult
from recommendation_shared import emf, metrics
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.wording import plural

_METRICS: Final = {
    Judgement.OVERWRITTEN: metrics.OVERWRITTEN,
    Judgement.TAMPERED: metrics.TAMPERED,
    Judgement.DELETED: metrics.DELETED,
}


def report(result: KeepResult, request_id: str, dependencies: KeeperDependencies) -> None:
    """Emit the metrics and log the result. Only sent letters count, so a failure counts once it has been retried."""
    for line in _metric_lines(result, dependencies):
        print(line)  # noqa: T201 - EMF is read from stdout
    with dependencies.logger.append_context_keys(function_request_id=request_id):
        _log(result, dependencies)


def _metric_lines(result: KeepResult, dependencies: KeeperDependencies) -> Iterator[str]:
    namespace, now_ms = dependencies.settings.metrics_namespace, round(dependencies.wall() * 1000)
    for judgement, count in Counter(letter.judgement for letter in result.letters).items():
        values: dict[str, Any] = {_METRICS[judgement]: [count], metrics.ALTERED: [count]}
        yield _line(emf.beginning(namespace, now_ms, values, [[]]), values)
        values = {metrics.DEAD_LETTERED: [count]}
        beginning = emf.beginning(namespace, now_ms, values, [[], [metrics.REASON]])
        yield _line(beginning, {metrics.REASON: REASONS[judgement], **values})


def _line(beginning: dict[str, Any], values: dict[str, Any]) -> str:
    return orjson.dumps({**beginning, **values}).decode()


def _log(result: KeepResult, dependencies: KeeperDependencies) -> None:
    logger = dependencies.logger
    for change, judgement in result.letters:
        logger.warning(
            "Dead-lettered a stored recommendation: %s",
            REASONS[judgement],
            extra={
                "reason": REASONS[judgement],
                PARTITION_KEY: (change.old or {}).get(PARTITION_KEY, {}).get("S", ""),
                "eventId": change.event_id,
            },
        )
    if result.archived:
        logger.info(
            "Archived %s in %s",
            plural(result.archived, "expired recommendation"),
            plural(result.files, "file"),
            extra={"archived": result.archived, "files": result.files},
        )
    if result.failure is not None:
        change, cause = result.failure
        logger.error(
            "Could not keep a change, which is retried: %s",
            cause,
            extra={"cause": cause, "eventId": change.event_id, "sequenceNumber": change.sequence_number},
        )
