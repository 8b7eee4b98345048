"""Turn a stored item back into the message that it came from."""

from collections.abc import Mapping

from recommendation_shared.envelope.fields import NOT_CONTENT
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import sqs_safe
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import decode_item


def message_body(item: Mapping[str, AttributeValue]) -> bytes:
    """Return the body of a message that the consumer stores as this item: canonical UTF-8 JSON that SQS accepts.

    `item` is DynamoDB JSON. It may be longer than its 400 KB, because a control character takes six bytes: the caller
    must check the result against its own limit. Raises `ValueError` for an unknown DynamoDB type.
    """
    fields = {name: value for name, value in decode_item(item).items() if name not in NOT_CONTENT}
    return sqs_safe(canonical_text(fields).encode())
