"""Report an invocation of the keeper: metrics as EMF lines on stdout, and log lines. Values are never logged."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import orjson

from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.judgement import Judgement
from recommendation_consumer.keeper.letter import REASONS
from recommendation_consumer.keeper.result import KeepResult, Noted
from recommendation_shared import emf, metrics
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.wording import plural

NOTED: Final = {
    Judgement.HELD: ("held", metrics.HELD),
    Judgement.RELEASED: ("released", metrics.RELEASED),
    Judgement.ERASED: ("erased", metrics.ERASED),
    Judgement.MARKED: ("marked", None),
}
"""What is only logged and counted: a word for the log, and a metric."""

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
    for judgement, count in Counter(noted.judgement for noted in result.noted).items():
        _, name = NOTED[judgement]
        if name is not None:
            # An erasure leaves no letter, so only the alarm on what was altered shows one that nobody ordered.
            values = {name: [count], **({metrics.ALTERED: [count]} if judgement is Judgement.ERASED else {})}
            yield _line(emf.beginning(namespace, now_ms, values, [[]]), values)


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
    for (judgement, incident_id), count in Counter(map(_noted, result.noted)).items():
        action, _ = NOTED[judgement]
        logger.info(
            "Saw that %s",
            f"{plural(count, 'item')} {'was' if count == 1 else 'were'} {action}",
            extra={"action": action, "count": count, **({"incidentId": incident_id} if incident_id else {})},
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


def _noted(noted: Noted) -> tuple[Judgement, str]:
    """Return the judgement and the incident, which is not named once it is erased."""
    old = noted.change.old or {}
    if noted.judgement is Judgement.ERASED:
        return noted.judgement, ""
    return noted.judgement, old.get("incidentId", {}).get("S", "")
