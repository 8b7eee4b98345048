"""Build the bodies of DynamoDB requests from encoded items, and read the responses."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from recommendation_shared.item.encoding import PARTITION_KEY, EncodedItem

_SEPARATOR: Final = b'}},{"PutRequest":{"Item":'  # between two items
PUT_BYTES: Final = len(_SEPARATOR)  # added to each item in a batch
ENVELOPE_BYTES: Final = 512  # upper bound for the rest of a batch: the table's name and a few brackets

# ReturnConsumedCapacity, because a successful response would otherwise be empty, and so is a non-JSON body, such as a
# proxy's page, once it is parsed.
_GUARD: Final = (
    b',"ConditionExpression":"attribute_not_exists(recommendationId) OR contentDigest = :digest"'
    b',"ReturnConsumedCapacity":"TOTAL","ExpressionAttributeValues":{":digest":{"S":"%b"}}}'
)


class Put(NamedTuple):
    """An item to write. A guarded item is written only if the table has no other content under its ID."""

    item: EncodedItem
    guarded: bool = False


def batch_body(table: bytes, items: Iterable[EncodedItem]) -> bytes:
    """Return the body of a BatchWriteItem request that puts one item or more. Their IDs must be unique."""
    bodies = [item.body for item in items]
    bodies[0] = b'{"RequestItems":{"%b":[{"PutRequest":{"Item":%b' % (table, bodies[0])
    bodies[-1] += b"}}]}}"
    return _SEPARATOR.join(bodies)


def guarded_body(table: bytes, item: EncodedItem) -> bytes:
    """Return the body of a PutItem request that fails if the table has other content under the item's ID."""
    return b'{"TableName":"' + table + b'","Item":' + item.body + _GUARD % item.digest.encode()


def unprocessed(response: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the items that DynamoDB did not write."""
    return {
        request["PutRequest"]["Item"][PARTITION_KEY]["S"]
        for requests in response["UnprocessedItems"].values()
        for request in requests
    }
