"""Names of the CloudWatch metrics and their dimensions (unit Count unless the name says otherwise)."""

from typing import Final

NAMESPACE: Final = "OPX/Recommendations"

PERSISTED: Final = "RecommendationsPersisted"
PERSISTENCE_FAILURE: Final = "RecommendationPersistenceFailure"
PERSISTENCE_THROTTLED: Final = "RecommendationPersistenceThrottled"
PERSISTENCE_DURATION: Final = "RecommendationPersistenceDuration"  # milliseconds
QUEUE_LAG: Final = "RecommendationQueueLag"  # milliseconds from the agent's completion to the stored item
DUPLICATE: Final = "RecommendationDuplicate"
EXPIRED: Final = "RecommendationExpired"
DEAD_LETTERED: Final = "RecommendationDeadLettered"
ENQUEUED: Final = "RecommendationsEnqueued"
DROPPED: Final = "RecommendationsDropped"
BATCHES: Final = "RecommendationBatches"  # SendMessageBatch calls that SQS answered
SEND_LATENCY: Final = "RecommendationSendLatency"  # milliseconds of such a call

AGENT_TYPE: Final = "AgentType"
INCIDENT_ID: Final = "IncidentId"
ERROR_TYPE: Final = "ErrorType"
REASON: Final = "Reason"
