"""The keeper's events: records of a table's stream, as a DynamoDB mapping delivers them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from recommendation_shared.item.encoding import encode_item
from tests.support.lambdas.event import envelope

STREAM_ARN: Final = (
    "arn:aws:dynamodb:us-east-1:123456789012:table/opx-agent-recommendations/stream/2026-01-01T00:00:00.000"
)
CHANGED_AT: Final = 1_769_947_200  # 2026-02-01T12:00:00Z, a day after the agent completed
CHANGED_AT_TEXT: Final = "2026-02-01T12:00:00Z"
TTL_PRINCIPAL: Final = {"principalId": "dynamodb.amazonaws.com", "type": "Service"}

Image = dict[str, Any]


def stored(agent_type: str = "consensus", **fields: Any) -> Image:
    """Return an item as the consumer stores it."""
    item: Image = json.loads(encode_item(envelope(agent_type, **fields).to_fields()).body)
    return item


def _record(name: str, number: int, at: int, **images: Image) -> dict[str, Any]:
    key = next(iter(images.values())).get("recommendationId", {"S": "none"})
    return {
        "eventID": f"event-{number}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": at,
            "Keys": {"recommendationId": key},
            **images,
            "SequenceNumber": f"{4_421_584_500_000_000_000_000 + number}",
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM_ARN,
    }


def inserted(new: Image, number: int = 0) -> dict[str, Any]:
    """Return the record of a new item, which the mapping's filter keeps from the keeper."""
    return _record("INSERT", number, CHANGED_AT, NewImage=new)


def modified(old: Image, new: Image, number: int = 0) -> dict[str, Any]:
    """Return the record of an item that was written again or updated."""
    return _record("MODIFY", number, CHANGED_AT, OldImage=old, NewImage=new)


def deleted(old: Image, number: int = 0, at: int = CHANGED_AT) -> dict[str, Any]:
    """Return the record of an item that somebody deleted; the stream does not say who."""
    return _record("REMOVE", number, at, OldImage=old)


def expired(old: Image, number: int = 0) -> dict[str, Any]:
    """Return the record of an item that TTL removed."""
    return {**_record("REMOVE", number, CHANGED_AT, OldImage=old), "userIdentity": TTL_PRINCIPAL}


def stream_event(*records: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of these records."""
    return {"Records": list(records)}


def sequence_number(record: Mapping[str, Any]) -> str:
    """Return what identifies a record in a partial batch response."""
    return str(record["dynamodb"]["SequenceNumber"])
