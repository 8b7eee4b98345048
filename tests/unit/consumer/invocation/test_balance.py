"""Whatever arrives and however the table behaves: no message is lost, and the metrics add up."""

import asyncio
import json
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.invocation import NothingStoredError, consume
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error, dependencies
from tests.support.lambdas.event import Context, body, event, redelivered

POISON, NEWER, EXPIRED = "poison", body().replace('"schemaVersion":1', '"schemaVersion":2'), "2020-01-01T00:00:00Z"
REFUSED = "agent-0"

texts = st.one_of(
    st.builds(body, st.sampled_from([f"agent-{number}" for number in range(40)]), reasoning=st.sampled_from(["", "b"])),
    st.just(body("agent-1", timestamp=EXPIRED)),
    st.sampled_from([POISON, NEWER, ""]),
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


def _counts(lines: str) -> dict[str, float]:
    """Sum the metrics that have no dimensions."""
    sums: dict[str, float] = {}
    for line in map(json.loads, lines.splitlines()):
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(line[metric["Name"]])
    return sums


@settings(deadline=None)
@given(
    st.lists(texts, min_size=1, max_size=60),
    st.lists(answers, max_size=12),
    answers,
    st.sampled_from([(), (REFUSED,)]),
    queues,
)
def test_every_message_is_stored_or_set_aside_or_delivered_again(
    batch: list[str], first: list[Any], last: Any, refused: tuple[str, ...], queue: FakeDeadLetterQueue
) -> None:
    """Acknowledged means: its item is in the table, it is a dead letter, or it has expired."""
    invalid = {Envelope.from_json(body(agent_type)).recommendation_id for agent_type in refused}
    table, messages, printed = FakeTable(*first, last=last, invalid=invalid), event(*batch), StringIO()
    around = dependencies(table, queue=queue)
    try:
        with redirect_stdout(printed):
            response = asyncio.run(consume(messages, Context(), around))
    except NothingStoredError:
        assert not table.items
        assert not queue.messages
        return
    again = redelivered(response, messages)
    dead = [message["MessageBody"] for message in queue.messages]
    for record in messages["Records"]:
        text = record["body"]
        if record["messageId"] in again or text in dead or EXPIRED in text:
            continue
        item = encode_item(read_envelope(text))
        assert table.items[item.recommendation_id]["contentDigest"] == {"S": item.digest}
    counts = _counts(printed.getvalue())
    names = ("RecommendationsPersisted", "RecommendationDuplicate", "RecommendationExpired")
    assert sum(counts.get(name, 0) for name in names) + counts.get("RecommendationPersistenceFailure", 0) == len(batch)
    assert counts.get("RecommendationsPersisted", 0) == len(table.items)
    assert counts.get("RecommendationDeadLettered", 0) == len(dead)
    assert counts.get("RecommendationPersistenceFailure", 0) == len(again) + len(dead)
