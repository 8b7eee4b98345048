"""Mistakes that a host's mypy must report, each on its line with the code that follows `type: ignore`."""

from recommendation_consumer.handler import handler as consume
from recommendation_producer import Outcome, RecommendationProducer
from recommendation_producer.langgraph import persisting
from recommendation_shared.envelope import Envelope

producer = RecommendationProducer(queue_url=1)  # type: ignore[arg-type]
producer = RecommendationProducer(None, max_item=1)  # type: ignore[call-arg]
producer = RecommendationProducer.from_env(max_item=1)  # type: ignore[call-arg]
producer = RecommendationProducer.from_env(retention="90")  # type: ignore[arg-type]
producer = RecommendationProducer.from_env(drain="later")  # type: ignore[arg-type]


def hand_over() -> Outcome:
    """Call `enqueue` wrongly."""
    producer.enqueue(incident_id="incident-123")  # type: ignore[call-arg]
    return producer.enqueue(
        incident_id=123,  # type: ignore[arg-type]
        execution_id="execution-1",
        agent_type="consensus",
        timestamp=1_769_860_800,  # type: ignore[arg-type]
        recommendation=["roll back"],  # type: ignore[arg-type]
        confidence="high",  # type: ignore[arg-type]
        retention="90",  # type: ignore[arg-type]
    )


status = hand_over().status  # type: ignore[attr-defined]
hand_over().accepted = True  # type: ignore[misc]
lost = producer.balance.lost  # type: ignore[attr-defined]
producer.balance.sent = 1  # type: ignore[misc]
producer.flush("2 s")  # type: ignore[arg-type]


@producer.lambda_handler
def executor(event: dict[str, int], context: object) -> str:
    """Stand for a host's handler; the decorator keeps its signature."""
    return f"{event} {context}"


executor()  # type: ignore[call-arg]
executor(1, None)  # type: ignore[arg-type]
executor({}, None) + 1  # type: ignore[operator]
persisting(object(), producer)  # type: ignore[type-var]
consume({"Records": []}, None)  # type: ignore[arg-type]
Envelope.create()  # type: ignore[call-arg]
incident = Envelope.from_json(b"{}").incident  # type: ignore[attr-defined]
