"""Fingerprint the table's items, each encoded again from its own content."""

import http.client
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError

from recommendation_shared.envelope import Envelope
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item, encode_item

# dynalite requires a signature but does not check it. boto3 would take two minutes to parse 50,000 items.
SIGNED: Final = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260131T120000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260131/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}
_HEADERS: Final = {**SIGNED, "X-Amz-Target": "DynamoDB_20120810.Scan"}
_DERIVED: Final = {"ttl", "contentDigest"}  # computed from the rest, so checked against it
DIGEST_DIFFERS: Final = "its contentDigest does not match its content"
NO_ENVELOPE: Final = "its content is not a valid envelope"
TTL_DIFFERS: Final = "its ttl does not match its envelope"


def items(dynamodb_url: str, table: str) -> Iterator[Mapping[str, Any]]:
    """Yield every item of the table, in DynamoDB JSON. Raises `OSError` if it cannot be read."""
    connection = http.client.HTTPConnection(str(urlsplit(dynamodb_url).netloc), timeout=60)
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        connection.request("POST", "/", orjson.dumps(request), _HEADERS)
        response = connection.getresponse()
        page = orjson.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            raise OSError(f"cannot read {table}: {response.status} {page.get('__type')}")
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            connection.close()
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def fingerprints(dynamodb_url: str, table: str) -> dict[str, str]:
    """Return the fingerprint of every item, by ID."""
    return {item[PARTITION_KEY]["S"]: fingerprint(item) for item in items(dynamodb_url, table)}


def fingerprint(item: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the item encoded again from this item's content, including ttl and digest.

    It equals the SHA-256 of the envelope's own item if not a bit was changed. If the item's `contentDigest` or `ttl`
    does not match its content, it has no fingerprint, and the reason is returned instead.
    """
    content = decode_item({name: item[name] for name in item.keys() - _DERIVED})
    try:
        encoded = encode_item(Envelope.model_validate(content).to_fields())
    except ValidationError:
        return NO_ENVELOPE
    if item.get("contentDigest") != {"S": encoded.digest}:
        return DIGEST_DIFFERS
    ttl = None if encoded.expires_at is None else {"N": str(encoded.expires_at)}
    return sha256(encoded.body).hexdigest() if item.get("ttl") == ttl else TTL_DIFFERS
