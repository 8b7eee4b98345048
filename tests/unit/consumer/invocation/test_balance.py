"""Whatever arrives and however the table behaves, no message is lost and the metrics add up."""

import asyncio
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.emf import totals
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import body, event, redelivered
from tests.support.lambdas.invoke import invoke

LATE = body("agent-2", retention=1)  # it expires between being sent and being received
POISON, NEWER, EXPIRED = "poison", body().replace('"schemaVersion":1', '"schemaVersion":2'), "2020-01-01T00:00:00Z"
INVALID = "agent-0"

texts = st.one_of(
    st.builds(body, st.sampled_from([f"agent-{number}" for number in range(40)]), reasoning=st.sampled_from(["", "b"])),
    st.just(body("agent-1", timestamp=EXPIRED)),
    st.sampled_from([POISON, NEWER, LATE, ""]),
)
answers = st.one_of(
    st.integers(0, 25),
    st.sampled_from(
        [
            client_error("ThrottlingException"),
            client_error("InternalServerError", 500),
            client_error("AccessDeniedException"),
            EndpointConnectionError(endpoint_url="http://table"),
        ]
    ),
)
queues = st.builds(
    FakeDeadLetterQueue,
    error=st.sampled_from([None, client_error("AccessDenied")]),
    refuse=st.sampled_from([(), (POISON,)]),
)


@given(
    st.lists(texts, min_size=1, max_size=60),
    st.lists(answers, max_size=12),
    answers,
    st.sampled_from([(), (INVALID,)]),
    queues,
)
def test_every_message_is_stored_or_dead_lettered_or_redelivered(
    batch: list[str], first: list[Any], last: Any, invalid_agents: tuple[str, ...], queue: FakeDeadLetterQueue
) -> None:
    """A message is acknowledged only if its item is in the table, if it is a dead letter, or if it has expired."""
    invalid = {Envelope.from_json(body(agent_type)).recommendation_id for agent_type in invalid_agents}
    table, messages, output = FakeTable(*first, last=last, invalid=invalid), event(*batch), StringIO()
    for record in messages["Records"]:
        if record["body"] == LATE:
            record["attributes"]["ApproximateFirstReceiveTimestamp"] = "1769960800000"
    try:
        with redirect_stdout(output):
            response = asyncio.run(invoke(messages, table, queue))
    except NothingStoredError:
        assert not table.items
        assert not queue.messages
        return
    again = redelivered(response, messages)
    dead = [message["MessageBody"] for message in queue.messages]
    for record in messages["Records"]:
        text = record["body"]
        if record["messageId"] in again or text in dead or text == LATE:
            continue
        item = encode_item(read_envelope(text))
        assert table.items[item.recommendation_id]["contentDigest"] == {"S": item.digest}
    counts = totals(output.getvalue())
    assert not any(EXPIRED in text for text in batch) or counts.get("RecommendationDeadLettered", 0) or again
    names = ("RecommendationsPersisted", "RecommendationDuplicate", "RecommendationExpired")
    assert sum(counts.get(name, 0) for name in names) + len(again) + len(dead) == len(batch)
    assert counts.get("RecommendationsPersisted", 0) == len(table.items)
    assert counts.get("RecommendationDeadLettered", 0) == len(dead)
    assert counts.get("RecommendationPersistenceFailure", 0) == len(again)
