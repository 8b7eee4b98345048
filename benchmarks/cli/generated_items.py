"""Items for the stub, as the consumer stores them: one large incident, or many incidents of the last days."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from benchmarks.support.recorded_outputs import recorded_fields
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.identity import recommendation_id, sort_key
from recommendation_shared.item.encoding import PARTITION_KEY, encode_item

Item = dict[str, Any]

INCIDENT: Final = "incident-aws-s3-2017-02-28"
NEWEST_INCIDENT: Final = "incident-0000"
PER_EXECUTION: Final = 7
_FIRST: Final = datetime(2026, 11, 1, tzinfo=UTC)
_EXECUTIONS_PER_INCIDENT: Final = 7
_BETWEEN: Final = timedelta(minutes=6)  # so that 1,429 executions take six days: a week's default period holds them


def one_incident(executions: int) -> list[Item]:
    """Return seven items for each execution, oldest first, all of one incident.

    Items share their content, so their digests are those of the first execution; so do those of `recent_incidents`.
    """
    encoded = _encoded()
    return [
        _moved(item, INCIDENT, execution, _FIRST + timedelta(minutes=execution, seconds=position))
        for execution in range(executions)
        for position, item in enumerate(encoded)
    ]


def recent_incidents(executions: int, now: datetime) -> list[Item]:
    """Return seven items for each execution, oldest first: one execution every six minutes, seven for an incident."""
    encoded = _encoded()
    return [
        _moved(item, f"incident-{age // _EXECUTIONS_PER_INCIDENT:04}", age, completed + timedelta(seconds=position))
        for age in reversed(range(executions))
        for completed in [now - _BETWEEN * (age + 1)]
        for position, item in enumerate(encoded)
    ]


def _encoded() -> list[Item]:
    return [
        orjson.loads(encode_item(Envelope.create(**fields).to_fields()).body) for fields in recorded_fields().values()
    ]


def _moved(item: Item, incident: str, execution: int, completed: datetime) -> Item:
    timestamp = sort_key(completed)
    changes = {
        PARTITION_KEY: recommendation_id(incident, item["agentType"]["S"], timestamp),
        "incidentId": incident,
        "executionId": f"exec-{execution:05}",
        "timestamp": timestamp,
    }
    never = "4102444800"  # in 2100, so that nothing is hidden as expired
    return {**item, **{name: {"S": text} for name, text in changes.items()}, "ttl": {"N": never}}
