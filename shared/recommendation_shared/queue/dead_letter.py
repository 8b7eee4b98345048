"""A dead letter's attributes and reasons: written by the consumer, read and redriven by `recs dlq`."""

from typing import Final

from recommendation_shared.envelope.errors import ID_MISMATCH, INVALID_ENVELOPE, INVALID_JSON

# Message attributes that the consumer adds to poison.
FAILURE_REASON: Final = "failureReason"
FAILURE_DETAIL: Final = "failureDetail"
ORIGINAL_MESSAGE_ID: Final = "originalMessageId"
SOURCE_QUEUE_ARN: Final = "sourceQueueArn"
DETAIL_BYTES: Final = 1024  # of failureDetail; ours
# How often `recs dlq redrive` has sent the message back to the queue.
REPLAY_COUNT: Final = "replayCount"

# Reasons beyond those that make an envelope invalid.
ID_CONFLICT: Final = "IdConflict"  # other content is already stored, or was sent earlier, under the same ID
ITEM_REJECTED: Final = "ItemRejected"  # DynamoDB refused the item as invalid
# Poison: no retry can store these, so the consumer sends them to the dead-letter queue at once.
POISON: Final = (INVALID_JSON, INVALID_ENVELOPE, ID_MISMATCH, ID_CONFLICT, ITEM_REJECTED)
# A message without a reason: the queue's redrive policy moved it after too many receives.
RETRIES_EXHAUSTED: Final = "RetriesExhausted"
