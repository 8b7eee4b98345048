"""The bodies of DynamoDB's requests, from items that are encoded already, and what an answer says of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from recommendation_shared.item.encoding import PARTITION_KEY, EncodedItem

_BETWEEN: Final = b'}},{"PutRequest":{"Item":'  # two items
PUT_BYTES: Final = len(_BETWEEN)  # of an item in a batch beyond its own
ENVELOPE_BYTES: Final = 512  # of a batch around its items: the table's name and a few brackets

# Without consumed capacity a success would be an empty answer, as which botocore also reads what is no JSON.
_GUARD: Final = (
    b',"ConditionExpression":"attribute_not_exists(recommendationId) OR contentDigest = :digest"'
    b',"ReturnConsumedCapacity":"TOTAL","ExpressionAttributeValues":{":digest":{"S":"%b"}}}'
)


class Put(NamedTuple):
    """An item to be written; a guarded one on the condition that it replaces nothing but itself."""

    item: EncodedItem
    guarded: bool = False


def batch_body(table: bytes, items: Iterable[EncodedItem]) -> bytes:
    """Return a BatchWriteItem that puts items, at least one, of unique IDs."""
    bodies = [item.body for item in items]
    bodies[0] = b'{"RequestItems":{"%b":[{"PutRequest":{"Item":%b' % (table, bodies[0])
    bodies[-1] += b"}}]}}"
    return _BETWEEN.join(bodies)


def guarded_body(table: bytes, item: EncodedItem) -> bytes:
    """Return a PutItem that fails where the table has the ID with other content."""
    return b'{"TableName":"' + table + b'","Item":' + item.body + _GUARD % item.digest.encode()


def unprocessed(response: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the items that DynamoDB did not take."""
    return {
        request["PutRequest"]["Item"][PARTITION_KEY]["S"]
        for requests in response["UnprocessedItems"].values()
        for request in requests
    }
