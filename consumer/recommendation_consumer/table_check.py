"""Find out whether rejected items are at fault or the table is, without writing anything."""

import asyncio
import json
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.dependencies import Dependencies
from recommendation_consumer.failure import classify
from recommendation_shared.aws_errors import CONDITION_FAILED, DEADLINE_EXCEEDED, NOT_CONFIRMED, error_code
from recommendation_shared.envelope.identity import recommendation_id
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import EncodedItem, encode_item

# DynamoDB validates an item, also against the keys of the table and its indexes, before it evaluates the condition.
_CONDITION: Final = b',"ConditionExpression":"attribute_exists(recommendationId)"}'
_AT: Final = "1970-01-01T00:00:00.000000Z"  # nothing completed then, so no recommendation has this ID


async def table_fault(deadline: float, dependencies: Dependencies) -> str | None:
    """Offer the table an ordinary recommendation, under a condition that never holds; return why it was not accepted.

    None means that the table would have taken it, so it is not the table that rejects others. `deadline` is in seconds
    on `dependencies.monotonic`. The answer costs one request and writes nothing.
    """
    body = b'{"TableName":"%b","Item":' % dependencies.settings.table_name.encode()
    try:
        async with asyncio.timeout(deadline - dependencies.monotonic()):
            await dependencies.put_item(body + _ordinary_item().body + _CONDITION)
    except TimeoutError:
        return DEADLINE_EXCEEDED
    except (ClientError, BotoCoreError) as error:
        return None if error_code(error) == CONDITION_FAILED else classify(error).error_type
    return NOT_CONFIRMED  # a success is not DynamoDB's


def _ordinary_item() -> EncodedItem:
    """Return an item that has every attribute of the contract, so that no key of an index is missing."""
    envelope: dict[str, Any] = {
        "schemaVersion": 1,
        "recommendationId": recommendation_id("table-check", "consensus", _AT),
        "incidentId": "table-check",
        "executionId": "table-check",
        "agentType": "consensus",
        "timestamp": _AT,
        "recommendation": {},
        "confidence": 0.5,
    }
    return encode_item(read_envelope(json.dumps(envelope)))
