"""Build the bodies of DynamoDB requests from encoded items, and read the responses."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from recommendation_shared.item.encoding import EncodedItem

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


def unprocessed(response: Mapping[str, Any], sent: Collection[str]) -> set[str] | None:
    """Return the IDs of the items that DynamoDB did not write, or None if the response does not confirm anything.

    DynamoDB always returns `UnprocessedItems`, even if empty, and it holds only puts that were `sent` (IDs). Any other
    response, such as a proxy's page that parses as empty, is not DynamoDB's.
    """
    tables = response.get("UnprocessedItems")
    if not isinstance(tables, dict):
        return None
    keys = {_key(put) for puts in tables.values() for put in (puts if isinstance(puts, list) else [puts])}
    return keys if all(key in sent for key in keys) else None


def _key(put: Any) -> str:
    """Return the ID of a put's item, or an empty text, which is no item's ID, for anything else."""
    match put:
        case {"PutRequest": {"Item": {"recommendationId": {"S": str(key)}}}}:
            return key
    return ""
