"""The producer's counts outside: EMF on stdout at a flush, and the rate-limited line about losses."""

import json
import sys
from typing import Any

import pytest

from producer.balance import Balance
from producer.emf import metric_lines
from producer.loss_log import LossLog
from tests.fake_queue import NOTHING_HANGS, FakeQueue, recommendation, running_producer


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the EMF documents on stdout."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_line_follows_the_embedded_metric_format() -> None:
    """Namespace, dimension sets and unit as CloudWatch reads them."""
    (line,) = metric_lines(0, {"buffer_full": 2}, epoch_ms=1_769_860_800_000)
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1_769_860_800_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "OPX/Recommendations",
                    "Dimensions": [["Reason"], []],
                    "Metrics": [{"Name": "RecommendationsDropped", "Unit": "Count"}],
                }
            ],
        },
        "Reason": "buffer_full",
        "RecommendationsDropped": 2,
    }


def test_each_flush_writes_what_was_added_since_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics are sums; nothing counts twice."""
    with running_producer(FakeQueue()) as producer:
        producer.enqueue(**recommendation(0))
        producer.enqueue(**recommendation(1))
        producer.enqueue(**recommendation(incident_id=None))
        producer.flush(NOTHING_HANGS)
        first = printed(capsys)
        producer.enqueue(**recommendation(2))
        producer.flush(NOTHING_HANGS)
        second = printed(capsys)
        producer.flush(NOTHING_HANGS)
        third = printed(capsys)
    assert [line.get("RecommendationsEnqueued") for line in first] == [2, None]
    assert [(line["Reason"], line["RecommendationsDropped"]) for line in first[1:]] == [("invalid", 1)]
    assert [line["RecommendationsEnqueued"] for line in second] == [1]
    assert third == []


def test_broken_stdout_keeps_the_counts_for_the_next_flush(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the flush itself goes on."""

    class Broken:
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with running_producer(FakeQueue()) as producer:
        producer.enqueue(**recommendation())
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Broken())
            assert producer.flush(NOTHING_HANGS).sent == 1
        producer.flush(NOTHING_HANGS)
    assert [line["RecommendationsEnqueued"] for line in printed(capsys)] == [1]


def balance(**dropped: int) -> Balance:
    """Return a balance with these drops."""
    return Balance(accepted=sum(dropped.values()) + 3, sent=2, dropped=dropped, pending=1)


def test_losses_are_told_at_most_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The next line tells all that was dropped since."""
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


def test_trouble_that_has_cost_nothing_yet_is_told_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """An outage shows before it costs envelopes."""
    log = LossLog(lambda: 0.0)
    log.report(balance())
    log.note("SendMessageBatch failed: EndpointConnectionError")
    log.report(balance())
    assert [record.getMessage() for record in caplog.records] == [
        "recommendations dropped: none; pending: 1; latest cause: SendMessageBatch failed: EndpointConnectionError"
    ]
