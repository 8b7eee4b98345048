"""The bodies of DynamoDB's requests, from items that are encoded already, and what an answer says of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.item import PARTITION_KEY, EncodedItem

_PUT: Final = (b'{"PutRequest":{"Item":', b"}}")
PUT_BYTES: Final = len(_PUT[0]) + len(_PUT[1]) + 1  # of an item in a batch beyond its own; and a comma
ENVELOPE_BYTES: Final = 512  # of a batch around its items: the table's name and a few brackets

# Without consumed capacity a success would be an empty answer, as which botocore also reads what is no JSON.
_GUARD: Final = (
    b',"ConditionExpression":"attribute_not_exists(recommendationId) OR contentDigest = :digest"'
    b',"ReturnConsumedCapacity":"TOTAL","ExpressionAttributeValues":{":digest":{"S":"%b"}}}'
)


def batch_body(table: bytes, items: Iterable[EncodedItem]) -> bytes:
    """Return a BatchWriteItem that puts items of unique IDs."""
    puts = b",".join([_PUT[0] + item.body + _PUT[1] for item in items])
    return b'{"RequestItems":{"' + table + b'":[' + puts + b"]}}"


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
