"""Limits of SQS and DynamoDB, and the few that are ours. Sizes are bytes unless the name says otherwise."""

from typing import Final

# Amazon SQS Developer Guide, "Message quotas": one message and one whole SendMessageBatch request, attributes included.
SQS_REQUEST_BYTES: Final = 1_048_576
SQS_BATCH_ENTRIES: Final = 10
SQS_MESSAGE_ATTRIBUTES: Final = 10  # of one message (Amazon SQS Developer Guide, "Message attributes"); count

# Amazon DynamoDB Developer Guide, "Quotas" and "Constraints"; API reference of BatchWriteItem.
ITEM_BYTES: Final = 400 * 1024
BATCH_WRITE_KEYS: Final = 25
BATCH_WRITE_BYTES: Final = 16 * 1024 * 1024
ATTRIBUTE_NAME_BYTES: Final = 65_535
NUMBER_DIGITS: Final = 38
NUMBER_MIN_EXPONENT: Final = -130  # 1E-130, of the leading digit
NUMBER_MAX_EXPONENT: Final = 125  # 9.99…E+125
# "Nested attributes up to 32 levels deep". The real service counts a top-level value as level 1 and a leaf as a
# level: 31 maps around a scalar are accepted and 32 are refused. So a map or list may stand at level 31 at most.
CONTAINER_LEVELS: Final = 31

# Ours. Two IDs of 1,024 bytes keep every key within DynamoDB's 2,048 (hash) and 1,024 (sort) bytes.
ID_BYTES: Final = 1024
AGENT_TYPE_BYTES: Final = 128
EXTRA_FIELDS: Final = 100  # count
EXTRA_FIELD_NAME_BYTES: Final = 255
JSON_LEVELS: Final = 254  # deeper text is refused; orjson (README, "Serialize") writes as many
RETENTION_DAYS: Final = 90
MAX_RETENTION_DAYS: Final = 36_500
