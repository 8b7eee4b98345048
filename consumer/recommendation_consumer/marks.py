"""Which incidents are held or erased (docs/decisions/0023): read from the table's index, and known for a minute."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.batch_result import BatchResult
from recommendation_consumer.dependencies import Dependencies
from recommendation_consumer.failure import Kind, classify
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED, NOT_CONFIRMED
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.marks import MARKS, MARKS_MAX_AGE
from recommendation_shared.item.standings import Standings
from recommendation_shared.wording import plural

MARKS_UNREADABLE: Final = "MarksUnreadable"  # an error type in metrics and logs, beside those of AWS
# Of the time to write. An outage is better spent in the queue than in a function that is billed for waiting.
_READ_SHARE: Final = 1 / 3


class MarksUnreadableError(RuntimeError):
    """The marks could not be read, so nothing of the batch was stored: a held record might have lost its hold."""


async def known_standings(deadline: float, dependencies: Dependencies, result: BatchResult) -> Standings:
    """Return what the sandbox knows, at most `MARKS_MAX_AGE` seconds old; read it again if it is older.

    `deadline` is that of writing, in seconds on `dependencies.monotonic`. Requests that DynamoDB throttles are counted
    in `result`. Raises `MarksUnreadableError`.
    """
    known, monotonic, wall = dependencies.marks, dependencies.monotonic(), dependencies.wall()
    # Both clocks, because one may stand still while the sandbox is frozen, and the other may be set.
    ages = monotonic - known.monotonic, wall - known.wall
    if known.standings is None or not all(0 <= age < MARKS_MAX_AGE for age in ages):
        until = monotonic + (deadline - monotonic) * _READ_SHARE
        known.standings = await _read(until, dependencies, result)
        known.monotonic, known.wall = monotonic, wall
    return known.standings


async def _read(deadline: float, dependencies: Dependencies, result: BatchResult) -> Standings:
    request: dict[str, Any] = {
        "TableName": dependencies.settings.table_name,
        "IndexName": "agentType-timestamp-index",
        "KeyConditionExpression": "#agent = :marks",
        "ExpressionAttributeNames": {"#agent": "agentType", "#key": PARTITION_KEY, "#standing": "metadata"},
        "ExpressionAttributeValues": {":marks": {"S": MARKS}},
        "ProjectionExpression": "#key, #standing",
    }
    items: list[Mapping[str, Any]] = []
    more = True
    while more:
        page = await _page(json.dumps(request).encode(), deadline, dependencies, result)
        items += page["Items"]
        request["ExclusiveStartKey"] = page.get("LastEvaluatedKey")
        more = request["ExclusiveStartKey"] is not None
    standings = Standings(items)
    if standings.unreadable:
        dependencies.logger.error(
            "Ignored %s that cannot be read: see recs doctor",
            plural(standings.unreadable, "incident mark"),
            extra={"unreadable": standings.unreadable},
        )
    return standings


async def _page(body: bytes, deadline: float, dependencies: Dependencies, result: BatchResult) -> Mapping[str, Any]:
    """Return one page of the index, with retries until the deadline."""
    delays, cause = dependencies.delays(), DEADLINE_EXCEEDED
    while (left := deadline - dependencies.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                page = await dependencies.query(body)
        except TimeoutError:
            break
        except (ClientError, BotoCoreError) as error:
            kind, cause = classify(error)
            result.throttled += kind is Kind.THROTTLED
            if kind in {Kind.SYSTEMIC, Kind.INVALID}:
                break
        else:
            if isinstance(page.get("Items"), list):  # DynamoDB returns an empty list if there are none
                return page
            cause = NOT_CONFIRMED
        delay = next(delays)
        if dependencies.monotonic() + delay >= deadline:
            break
        await dependencies.sleep(delay)
    raise MarksUnreadableError(
        f"Which incidents are held or erased could not be read, so nothing of the batch was stored: {cause}"
    )
