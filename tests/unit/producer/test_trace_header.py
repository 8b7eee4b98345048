"""The X-Ray trace header of an invocation goes with its envelopes, and can never cost one."""

from typing import Any

import pytest

from recommendation_producer._sending.delivery import body_bytes
from recommendation_producer._trace_header import TraceHeader
from recommendation_shared import limits
from recommendation_shared.queue.batches import entry_bytes
from tests.support.fakes.queue import NOTHING_HANGS, Answer, Entries, FakeQueue, recommendation, running_producer

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"{ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0|68fd508a:5"


class Recording(FakeQueue):
    """Keeps the entries whole."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
        """Record and accept them."""
        self.entries += Entries
        return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)


def test_each_envelope_carries_the_header_of_the_invocation_that_enqueued_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be sent together, and in a later invocation."""
    queue = Recording()
    with running_producer(queue, max_age=600.0) as producer:
        for number, header in enumerate([HEADER, f"{ROOT};Sampled=0", ""]):
            monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
            producer.enqueue(**recommendation(number))
        monkeypatch.delenv("_X_AMZN_TRACE_ID")
        producer.enqueue(**recommendation(3))
        producer.flush(NOTHING_HANGS)
    assert [entry.get("MessageSystemAttributes") for entry in queue.entries] == [
        {"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}},
        {"AWSTraceHeader": {"DataType": "String", "StringValue": f"{ROOT};Sampled=0"}},
        None,
        None,
    ]
    assert all("MessageAttributes" not in entry for entry in queue.entries)


@pytest.mark.parametrize(
    "header",
    [
        "Self=1-5759e988",
        "1-5759e988-bd862e3fe1be46a994272793",
        f"{ROOT};Parent=\n",
        f"{ROOT}é",
        f"{ROOT};" + "x" * 5_000,
        f"{ROOT};Parent=53995c3f42cd8ad8; Sampled=1",
        "\udcff",
    ],
)
def test_header_that_sqs_would_refuse_is_not_sent(header: str) -> None:
    """SQS refuses the whole message for it."""
    assert TraceHeader({"_X_AMZN_TRACE_ID": header}).current() is None


def test_header_does_not_count_toward_the_size_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two envelopes that exactly fill a request still share it: "Amazon SQS and AWS X-Ray" excludes the header."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    queue = Recording()
    with running_producer(queue, max_age=600.0, max_bytes=10 * limits.SQS_REQUEST_BYTES) as producer:
        producer.enqueue(**recommendation(1, reasoning="x" * (limits.SQS_REQUEST_BYTES // 2)))
        (first,) = producer._buffer.peek(1)
        rest = limits.SQS_REQUEST_BYTES - 2 * body_bytes(first)
        producer.enqueue(**recommendation(2, reasoning="x" * (limits.SQS_REQUEST_BYTES // 2 + rest)))
        producer.flush(NOTHING_HANGS)
    assert sum(entry_bytes(entry) for entry in queue.entries) == limits.SQS_REQUEST_BYTES
    assert len(queue.calls) == 1
