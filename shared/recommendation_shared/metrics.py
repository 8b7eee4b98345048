"""The CloudWatch metrics: their namespace, names, units and dimensions."""

import re
from typing import Final

NAMESPACE: Final = "OPX/Recommendations"  # in production; other stages append their suffix

PERSISTED: Final = "RecommendationsPersisted"
PERSISTENCE_FAILURE: Final = "RecommendationPersistenceFailure"
PERSISTENCE_THROTTLED: Final = "RecommendationPersistenceThrottled"
PERSISTENCE_DURATION: Final = "RecommendationPersistenceDuration"
QUEUE_LAG: Final = "RecommendationQueueLag"  # from the agent's completion to the stored item
DUPLICATE: Final = "RecommendationDuplicate"
EXPIRED: Final = "RecommendationExpired"  # while it waited in the queue; also a drop
DEAD_LETTERED: Final = "RecommendationDeadLettered"
OVERWRITTEN: Final = "RecommendationOverwritten"  # in the table, by other content under the same ID
TAMPERED: Final = "RecommendationTampered"  # edited in the table by hand
DELETED: Final = "RecommendationDeleted"  # from the table, before it expired
ALTERED: Final = "RecommendationAltered"  # any of the changes of the table that somebody must hear of, for one alarm
HELD: Final = "RecommendationHeld"  # in the table, by recs hold
RELEASED: Final = "RecommendationReleased"  # in the table, by recs release
ERASED: Final = "RecommendationErased"  # deleted by recs erase, or not stored because its incident was erased
ENQUEUED: Final = "RecommendationsEnqueued"
DROPPED: Final = "RecommendationsDropped"  # lost: given up by the producer, or expired when the consumer received them
PENDING: Final = "RecommendationsPending"  # unsent at the end of a flush; they stay for the next invocation
DRAIN_FALLBACK: Final = "RecommendationDrainFallback"  # drained before the response instead of after it
BATCHES: Final = "RecommendationBatches"  # SendMessageBatch calls that SQS answered
SEND_LATENCY: Final = "RecommendationSendLatency"  # of one such call

AGENT_TYPE: Final = "AgentType"
INCIDENT_ID: Final = "IncidentId"
ERROR_TYPE: Final = "ErrorType"
REASON: Final = "Reason"

# The queue's name in infra/template.yaml ends with the stack's suffix, as the namespace does.
_QUEUE: Final = r".*/opx-recommendations((?:-[a-z0-9]+)*)"
# Logged as plain JSON: nothing alarms on them, and each would be billed whenever there is an incident.
LOGGED: Final = frozenset({QUEUE_LAG, ENQUEUED, BATCHES, SEND_LATENCY, DRAIN_FALLBACK})
_MILLISECONDS: Final = frozenset({PERSISTENCE_DURATION, QUEUE_LAG, SEND_LATENCY})


def unit(name: str) -> str:
    """Return a metric's CloudWatch unit: `Milliseconds` or `Count`."""
    return "Milliseconds" if name in _MILLISECONDS else "Count"


def namespace_of(queue_url: str | None) -> str:
    """Return the namespace of the stage that this queue belongs to; production's if the URL does not show it.

    Two stages in one account and region must not share a namespace, or each one's alarms would watch both.
    """
    match = re.fullmatch(_QUEUE, queue_url or "")
    return NAMESPACE + match[1] if match else NAMESPACE
