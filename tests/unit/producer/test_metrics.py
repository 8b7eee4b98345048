"""How the producer publishes its counts: EMF on stdout at a flush, and a rate-limited log line about losses."""

import io
import json
import sys
from typing import Any

import pytest

from recommendation_producer import RecommendationProducer
from recommendation_producer._balance import Balance
from recommendation_producer._loss_log import LossLog
from recommendation_producer._metrics import MetricWriter, metric_lines
from tests.support.fakes.queue import NOTHING_HANGS, BlackHole, FakeQueue, aws_error, recommendation, running_producer

# Nothing alarms on these.
LOGGED = {
    "RecommendationsEnqueued",
    "RecommendationBatches",
    "RecommendationSendLatency",
    "RecommendationDrainFallback",
}
UNITS = {
    "RecommendationsDropped": "Count",
    "RecommendationsPending": "Count",
}


def follows_the_specification(document: dict[str, Any]) -> bool:
    """Check a document against CloudWatch's "Specification: Embedded metric format"; no other members may occur."""
    if "_aws" not in document:  # logged, but no metric
        assert document.keys() <= LOGGED
        return True
    assert document["_aws"].keys() == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(document["_aws"]["Timestamp"], int)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert directive["Namespace"] == "OPX/Recommendations"
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert 0 < len(names) <= 100
    for metric in directive["Metrics"]:
        assert metric == {"Name": metric["Name"], "Unit": UNITS[metric["Name"]]}
        value = document[metric["Name"]]
        values = value if isinstance(value, list) else [value]
        assert 0 < len(values) <= 100
        assert all(type(number) in (int, float) for number in values)
    dimensions = {name for names in directive["Dimensions"] for name in names}
    assert all(isinstance(document[name], str) and 0 < len(document[name]) <= 1024 for name in dimensions)
    assert not LOGGED & set(names)
    assert document.keys() - LOGGED == {"_aws", *names, *dimensions}
    return True


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the EMF documents on stdout, after checking each against the specification."""
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(follows_the_specification(document) for document in documents)
    return documents


def test_line_follows_the_embedded_metric_format() -> None:
    """It has the namespace, dimension sets and unit that CloudWatch expects."""
    (line,) = metric_lines("OPX/Recommendations-dev", {}, {"buffer_full": 2}, epoch_ms=1_769_860_800_000)
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1_769_860_800_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "OPX/Recommendations-dev",
                    "Dimensions": [["Reason"], []],
                    "Metrics": [{"Name": "RecommendationsDropped", "Unit": "Count"}],
                }
            ],
        },
        "Reason": "buffer_full",
        "RecommendationsDropped": 2,
    }


def test_each_flush_writes_what_was_added_since_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch adds up the values, so nothing may be counted twice."""
    with running_producer(FakeQueue(), emit_metrics=True, max_age=600.0) as producer:
        for number in range(11):
            producer.enqueue(**recommendation(number))
        producer.enqueue(**recommendation(incident_id=None))
        producer.flush(NOTHING_HANGS)
        first = printed(capsys)
        producer.enqueue(**recommendation(20))
        producer.flush(NOTHING_HANGS)
        second = printed(capsys)
        producer.flush(NOTHING_HANGS)
        third = printed(capsys)
    assert [(line.get("RecommendationsEnqueued"), line.get("RecommendationBatches")) for line in first] == [
        (11, 2),
        (None, None),
    ]
    assert [(line["Reason"], line["RecommendationsDropped"]) for line in first[1:]] == [("invalid", 1)]
    assert [(line["RecommendationsEnqueued"], line["RecommendationBatches"]) for line in second] == [(1, 1)]
    assert [len(line["RecommendationSendLatency"]) for line in (first[0], second[0])] == [2, 1]
    assert third == []


def test_pending_envelopes_are_in_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise an outage would not show until envelopes are dropped."""
    with running_producer(BlackHole(), emit_metrics=True) as producer:
        producer.enqueue(**recommendation())
        producer.flush(0.0)
        (line,) = printed(capsys)
        assert line["RecommendationsPending"] == 1


def test_only_successful_calls_count_as_batches(capsys: pytest.CaptureFixture[str]) -> None:
    """The latency of a failed call is that of our timeouts, and would hide that of the service."""
    with running_producer(FakeQueue(aws_error("ServiceUnavailable", 503)), emit_metrics=True) as producer:
        producer.enqueue(**recommendation())
        producer.flush(NOTHING_HANGS)
        assert [line["RecommendationBatches"] for line in printed(capsys)] == [1]


def test_drains_that_were_to_follow_the_response_and_did_not_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Once each, at the next flush."""
    writer = MetricWriter("OPX/Recommendations", is_on=True)
    for count in (1, 2):
        for _ in range(count):
            writer.note_fallback()
        writer.write(0, {})
    assert [line["RecommendationDrainFallback"] for line in printed(capsys)] == [1, 2]


def test_latencies_are_bounded_and_counts_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    """A line takes 100 values of a metric, and a host that never flushes must not pay for more in memory."""
    writer = MetricWriter("OPX/Recommendations", is_on=True)
    for number in range(250):
        writer.note_batch(number / 1000)
    writer.write(0, {})
    (line,) = printed(capsys)
    assert line["RecommendationBatches"] == 250
    assert line["RecommendationSendLatency"] == list(range(150, 250))


@pytest.mark.parametrize(
    ("in_lambda", "emit_metrics", "lines"), [(True, None, 1), (False, None, 0), (True, False, 0), (False, True, 1)]
)
def test_metrics_are_written_only_in_lambda_by_default(
    in_lambda: bool,
    emit_metrics: bool | None,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Elsewhere stdout belongs to the host, and nothing would read them."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    if in_lambda:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "executor")
    with running_producer(FakeQueue(), emit_metrics=emit_metrics) as producer:
        producer.enqueue(**recommendation())
        producer.flush(NOTHING_HANGS)
    assert len(printed(capsys)) == lines


class Broken:
    """A stream of the host's own that cannot be written to."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, _: str) -> int:
        """Fail."""
        raise self._error


def closed() -> io.StringIO:
    """Return a closed stream."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stdout", "named"),
    [
        (None, "AttributeError"),
        (closed(), "ValueError"),
        (io.BytesIO(), "TypeError"),
        (io.TextIOWrapper(io.BytesIO(), encoding="undefined"), "UnicodeError"),
        (Broken(BrokenPipeError()), "BrokenPipeError"),
        (Broken(RuntimeError("reentrant call")), "RuntimeError"),
        (Broken(LookupError()), "LookupError"),
    ],
    ids=["None", "closed", "binary", "unusable encoding", "broken pipe", "in use", "another error"],
)
def test_stdout_that_cannot_be_written_to_never_breaks_a_flush_and_keeps_the_counts(
    stdout: Any,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next flush writes them. The log names the cause once, not at every flush."""
    with running_producer(FakeQueue(), emit_metrics=True) as producer:
        producer.enqueue(**recommendation())
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            assert producer.flush(NOTHING_HANGS).sent == 1
            assert producer.flush(NOTHING_HANGS).sent == 1
        producer.flush(NOTHING_HANGS)
    assert caplog.messages == [f"metrics could not be written to stdout: {named}"]
    (line,) = printed(capsys)
    assert (line["RecommendationsEnqueued"], line["RecommendationBatches"]) == (1, 1)
    assert len(line["RecommendationSendLatency"]) == 1


def balance(**dropped: int) -> Balance:
    """Return a balance with these drops."""
    return Balance(accepted=sum(dropped.values()) + 3, sent=2, dropped=dropped, pending=1)


def test_losses_are_logged_at_most_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The next line reports everything dropped since."""
    now = 0.0
    log = LossLog(lambda: now)
    log.report(balance(buffer_full=1))
    now = 59.0
    log.report(balance(buffer_full=4, invalid=1))
    now = 60.0
    log.report(balance(buffer_full=4, invalid=1))
    log.report(balance(buffer_full=4, invalid=1))
    assert [record.getMessage() for record in caplog.records] == [
        "recommendations dropped: buffer_full 1; pending: 1",
        "recommendations dropped: buffer_full 3, invalid 1; pending: 1",
    ]


def test_failures_without_losses_are_logged_with_their_cause(caplog: pytest.LogCaptureFixture) -> None:
    """An outage shows in the log before it costs envelopes."""
    log = LossLog(lambda: 0.0)
    log.report(balance())
    log.note("SendMessageBatch failed: EndpointConnectionError")
    log.report(balance())
    assert [record.getMessage() for record in caplog.records] == [
        "recommendations dropped: none; pending: 1; latest cause: SendMessageBatch failed: EndpointConnectionError"
    ]


@pytest.mark.parametrize(
    ("variable", "namespace"),
    [
        (None, "OPX/Recommendations-dev"),
        ("", "OPX/Recommendations-dev"),
        ("Team/Advice", "Team/Advice"),
        ("AWS/SQS", "OPX/Recommendations-dev"),
    ],
)
def test_metrics_are_in_the_namespace_of_the_queues_stage_unless_the_environment_names_one(
    variable: str | None,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An invalid name is logged and costs nothing else."""
    monkeypatch.setenv("RECOMMENDATIONS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/opx-recommendations-dev")
    if variable is not None:
        monkeypatch.setenv("RECOMMENDATIONS_METRICS_NAMESPACE", variable)
    producer = RecommendationProducer.from_env(client_factory=BlackHole().client, emit_metrics=True)
    producer.enqueue(**recommendation(incident_id=None))  # dropped as invalid
    producer.close(0.0)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metadata = [line["_aws"] for line in lines if "_aws" in line]
    assert {directive["Namespace"] for each in metadata for directive in each["CloudWatchMetrics"]} == {namespace}
    assert ("RECOMMENDATIONS_METRICS_NAMESPACE: must be" in caplog.text) == (variable == "AWS/SQS")
