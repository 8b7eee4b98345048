"""Limits of SQS and DynamoDB, and a few of our own. Sizes are in bytes; `count` marks a number of things."""

from typing import Final

# Amazon SQS Developer Guide, "Message quotas". The size limit applies to one message and also to a whole
# SendMessageBatch request; attributes count.
SQS_REQUEST_BYTES: Final = 1_048_576
SQS_BATCH_ENTRIES: Final = 10  # count
SQS_MESSAGE_ATTRIBUTES: Final = 10  # count per message (same guide, "Message attributes")

# Amazon DynamoDB Developer Guide, "Quotas" and "Constraints"; Amazon DynamoDB API Reference, BatchWriteItem.
ITEM_BYTES: Final = 400 * 1024
BATCH_WRITE_KEYS: Final = 25  # count per request
BATCH_WRITE_BYTES: Final = 16 * 1024 * 1024  # of the whole request
ATTRIBUTE_NAME_BYTES: Final = 65_535
NUMBER_DIGITS: Final = 38  # count of significant digits
NUMBER_MIN_EXPONENT: Final = -130  # of the leading digit: 1E-130
NUMBER_MAX_EXPONENT: Final = 125  # of the leading digit: 9.99…E+125
# The guide says "nested attributes up to 32 levels deep". The service counts a top-level value as level 1, and counts
# the leaf: it accepts 31 maps around a scalar and rejects 32. So the deepest map or list is at level 31.
CONTAINER_LEVELS: Final = 31

# Our own. IDs of at most 1,024 bytes keep every key within DynamoDB's limits: 2,048 bytes (hash) and 1,024 (sort).
ID_BYTES: Final = 1024
AGENT_TYPE_BYTES: Final = 128
EXTRA_FIELDS: Final = 100  # count
EXTRA_FIELD_NAME_BYTES: Final = 255
JSON_LEVELS: Final = 254  # count; the deepest nesting that orjson writes (its README, "Serialize")
RETENTION_DAYS: Final = 90  # the default
MAX_RETENTION_DAYS: Final = 36_500  # a century
