"""A dead letter's attributes and reasons. The consumer writes them, and `recs dlq` reads them."""

from typing import Final

from recommendation_shared.envelope.errors import ID_MISMATCH, INVALID_ENVELOPE, INVALID_JSON

# Message attributes that the consumer adds to a poison message.
FAILURE_REASON: Final = "failureReason"
FAILURE_DETAIL: Final = "failureDetail"
ORIGINAL_MESSAGE_ID: Final = "originalMessageId"
SOURCE_QUEUE_ARN: Final = "sourceQueueArn"
DETAIL_BYTES: Final = 1024  # of failureDetail; our own limit
# How often `recs dlq redrive` has sent the message back to the queue.
REPLAY_COUNT: Final = "replayCount"

# Reasons besides those for which an envelope is invalid.
ID_CONFLICT: Final = "IdConflict"  # different content is stored, or was sent earlier, under the same ID
ITEM_REJECTED: Final = "ItemRejected"  # DynamoDB rejected the item as invalid
EXPIRED: Final = "Expired"  # it was past its ttl when it was sent
# The keeper's, besides IdConflict. The letter holds the item as it was before.
TAMPERED: Final = "Tampered"  # it was edited by hand
DELETED: Final = "Deleted"  # it was deleted before it expired
# Poison: no retry can store these messages (or, for the keeper's, should without a decision), so they are sent to the
# dead-letter queue at once, and `recs dlq redrive` leaves them there unless they are named.
POISON: Final = (INVALID_JSON, INVALID_ENVELOPE, ID_MISMATCH, ID_CONFLICT, ITEM_REJECTED, EXPIRED, TAMPERED, DELETED)
# For a dead letter without a reason, which the queue's redrive policy moved after too many receives.
RETRIES_EXHAUSTED: Final = "RetriesExhausted"
