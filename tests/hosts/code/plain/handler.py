"""A host that imports nothing but the standard library and the producer."""

from importlib.util import find_spec
from typing import Any

from recommendation_producer import RecommendationProducer

producer = RecommendationProducer.from_env()


@producer.lambda_handler
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Hand over seven outputs."""
    outcomes = [
        producer.enqueue(
            incident_id=event["incident"],
            execution_id="exec-1",
            agent_type=f"agent-{number}",
            timestamp=f"2026-01-31T12:00:{number:02d}Z",
            recommendation={"cause": "deployment", "weights": [0.1, 1e-7]},
            confidence=0.5,
        )
        for number in range(7)
    ]
    return {
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "has_botocore": find_spec("botocore") is not None,
    }
