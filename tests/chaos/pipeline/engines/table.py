"""The table's items at the end, each encoded again from its own content."""

import http.client
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError

from recommendation_shared.envelope.model import Envelope
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item, encode_item

# dynalite wants a signature and does not check it. boto3 would take two minutes to parse 50,000 items.
_HEADERS: Final = {
    "X-Amz-Target": "DynamoDB_20120810.Scan",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260131T120000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260131/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}
_DERIVED: Final = {"ttl", "contentDigest"}  # made from the rest, so checked against it
DIGEST_DIFFERS: Final = "its content does not have its contentDigest"
NO_ENVELOPE: Final = "its content is no valid envelope"
TTL_DIFFERS: Final = "its ttl is not that of its envelope"


def items(dynamodb_url: str, table: str) -> Iterator[Mapping[str, Any]]:
    """Read the whole table, in DynamoDB JSON. Raises `OSError` when it cannot be read."""
    connection = http.client.HTTPConnection(str(urlsplit(dynamodb_url).netloc), timeout=60)
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        connection.request("POST", "/", orjson.dumps(request), _HEADERS)
        answer = connection.getresponse()
        page = orjson.loads(answer.read())
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"cannot read {table}: {answer.status} {page.get('__type')}")
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            connection.close()
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def fingerprints(dynamodb_url: str, table: str) -> dict[str, str]:
    """Return every item's ID with its fingerprint."""
    return {item[PARTITION_KEY]["S"]: fingerprint(item) for item in items(dynamodb_url, table)}


def fingerprint(item: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the item that this item's content makes, ttl and digest included.

    It is that of the envelope's own item when not a bit was changed. An item that differs from what its content
    makes (`contentDigest`, `ttl`) has no fingerprint; then the answer says why.
    """
    try:
        made = encode_item(Envelope.model_validate(decode_item({name: item[name] for name in item.keys() - _DERIVED})))
    except ValidationError:
        return NO_ENVELOPE
    if item.get("contentDigest") != {"S": made.digest}:
        return DIGEST_DIFFERS
    ttl = None if made.expires_at is None else {"N": str(made.expires_at)}
    return sha256(made.body).hexdigest() if item.get("ttl") == ttl else TTL_DIFFERS
