"""The CloudWatch metrics: their names, units and dimensions."""

from typing import Final

NAMESPACE: Final = "OPX/Recommendations"

PERSISTED: Final = "RecommendationsPersisted"
PERSISTENCE_FAILURE: Final = "RecommendationPersistenceFailure"
PERSISTENCE_THROTTLED: Final = "RecommendationPersistenceThrottled"
PERSISTENCE_DURATION: Final = "RecommendationPersistenceDuration"
QUEUE_LAG: Final = "RecommendationQueueLag"  # from the agent's completion to the stored item
DUPLICATE: Final = "RecommendationDuplicate"
EXPIRED: Final = "RecommendationExpired"
DEAD_LETTERED: Final = "RecommendationDeadLettered"
ENQUEUED: Final = "RecommendationsEnqueued"
DROPPED: Final = "RecommendationsDropped"
PENDING: Final = "RecommendationsPending"  # unsent at the end of a flush; they stay for the next invocation
BATCHES: Final = "RecommendationBatches"  # SendMessageBatch calls that SQS answered
SEND_LATENCY: Final = "RecommendationSendLatency"  # of one such call

AGENT_TYPE: Final = "AgentType"
INCIDENT_ID: Final = "IncidentId"
ERROR_TYPE: Final = "ErrorType"
REASON: Final = "Reason"

_MILLISECONDS: Final = frozenset({PERSISTENCE_DURATION, QUEUE_LAG, SEND_LATENCY})


def unit(name: str) -> str:
    """Return a metric's CloudWatch unit: `Milliseconds` or `Count`."""
    return "Milliseconds" if name in _MILLISECONDS else "Count"
