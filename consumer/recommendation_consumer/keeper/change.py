"""Read the event of a DynamoDB stream's mapping, reduced to what the keeper needs."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from recommendation_consumer.message import MalformedEventError
from recommendation_shared.envelope.field_rules import MAPPING
from recommendation_shared.item.attribute_value import AttributeValue

_TTL: Final = "dynamodb.amazonaws.com"  # the principal under which TTL removes items (DynamoDB Developer Guide, "TTL")
# Attributes that global tables of version 2017.11.29 add to every item. Later versions add none, and their streams do
# not tell a replicated change from any other. No other name is left out, since it may be an envelope's or somebody's.
_REPLICATION: Final = frozenset({"aws:rep:deleting", "aws:rep:updatetime", "aws:rep:updateregion"})

Image = Mapping[str, AttributeValue]
"""An item in DynamoDB JSON, as the stream has it: binary values are base64 text."""


class Change(NamedTuple):
    """A change of one item in the table.

    `at` is roughly when, in epoch seconds. `principal` is who, or empty: the stream names only DynamoDB itself. `old`
    is None for a new item, and `new` is None for a removed one.
    """

    event_id: str
    sequence_number: str
    stream_arn: str
    at: float
    principal: str
    old: Image | None
    new: Image | None

    @property
    def is_by_ttl(self) -> bool:
        """Whether TTL removed the item. A global table says so only in the Region where TTL did it."""
        return self.principal == _TTL


def read_changes(event: Any) -> list[Change]:
    """Return the event's changes, in the order of the stream. Raises `MalformedEventError`."""
    if not isinstance(event, MAPPING) or not isinstance(event.get("Records"), list):
        raise MalformedEventError("The event must be an object with a `Records` list: is the source a DynamoDB stream?")
    return [_read_record(record, index) for index, record in enumerate(event["Records"])]


def _read_record(record: Any, index: int) -> Change:
    try:
        data = record["dynamodb"]
        return Change(
            event_id=record["eventID"],
            sequence_number=data["SequenceNumber"],
            stream_arn=record["eventSourceARN"],
            at=float(data["ApproximateCreationDateTime"]),
            principal=(record.get("userIdentity") or {}).get("principalId", ""),
            old=_image(record, "OldImage"),
            new=_image(record, "NewImage"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedEventError(
            f"Records[{index}] is not from a DynamoDB stream with old and new images: {type(error).__name__}"
        ) from None


def _image(record: Mapping[str, Any], name: str) -> Image | None:
    """Return an image, without what replication adds. Raises `KeyError` if the kind of event requires the image."""
    absent = {"INSERT": "OldImage", "REMOVE": "NewImage"}
    if absent.get(record["eventName"]) == name:
        return None
    return {key: value for key, value in record["dynamodb"][name].items() if key not in _REPLICATION}
