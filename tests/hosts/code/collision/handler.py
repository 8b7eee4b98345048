"""A host with pydantic 1, an old orjson, and packages called `shared` and `producer`."""

from typing import Any

import boto3
import orjson
import pydantic
from producer.outputs import findings

from recommendation_producer import RecommendationProducer

sender = RecommendationProducer.from_env()


@sender.lambda_handler
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Hand over seven outputs, each a model of pydantic 1."""
    outcomes = [
        sender.enqueue(
            incident_id=event["incident"],
            execution_id="exec-1",
            agent_type=f"agent-{number}",
            timestamp=f"2026-01-31T12:00:{number:02d}Z",
            recommendation={"finding": finding, "weights": {0.1, 0.2}},
            confidence=0.5,
        )
        for number, finding in enumerate(findings())
    ]
    return {
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "versions": [boto3.__version__, pydantic.VERSION, orjson.__version__],
    }
