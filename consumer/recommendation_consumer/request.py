"""Bodies of DynamoDB requests from items that are already encoded, and what a response says of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from recommendation_shared.item.encoding import PARTITION_KEY, EncodedItem

_SEPARATOR: Final = b'}},{"PutRequest":{"Item":'  # between two items
PUT_BYTES: Final = len(_SEPARATOR)  # of an item in a batch, beyond its own
ENVELOPE_BYTES: Final = 512  # of a batch around its items: the table's name and a few brackets

# ReturnConsumedCapacity, because a successful response would be empty otherwise, and botocore also parses a non-JSON
# body, such as a proxy's page, as an empty response.
_GUARD: Final = (
    b',"ConditionExpression":"attribute_not_exists(recommendationId) OR contentDigest = :digest"'
    b',"ReturnConsumedCapacity":"TOTAL","ExpressionAttributeValues":{":digest":{"S":"%b"}}}'
)


class Put(NamedTuple):
    """An item to write. A guarded one is written only if it replaces nothing but itself."""

    item: EncodedItem
    guarded: bool = False


def batch_body(table: bytes, items: Iterable[EncodedItem]) -> bytes:
    """Return a BatchWriteItem that puts at least one item; their IDs must be unique."""
    bodies = [item.body for item in items]
    bodies[0] = b'{"RequestItems":{"%b":[{"PutRequest":{"Item":%b' % (table, bodies[0])
    bodies[-1] += b"}}]}}"
    return _SEPARATOR.join(bodies)


def guarded_body(table: bytes, item: EncodedItem) -> bytes:
    """Return a PutItem that fails where the table has other content under the same ID."""
    return b'{"TableName":"' + table + b'","Item":' + item.body + _GUARD % item.digest.encode()


def unprocessed(response: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the items that DynamoDB did not write."""
    return {
        request["PutRequest"]["Item"][PARTITION_KEY]["S"]
        for requests in response["UnprocessedItems"].values()
        for request in requests
    }
