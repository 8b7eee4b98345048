"""The producer process: submits the traffic, and writes the expected end of each submission to a journal.

Run as `python -m tests.chaos.pipeline.producer_process PLAN`, with the environment from `processes.environment`.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import boto3

from recommendation_producer import RecommendationProducer
from recommendation_shared import limits
from tests.chaos.pipeline.engines.queues import waiting
from tests.chaos.pipeline.plan import Plan
from tests.chaos.pipeline.submission import Submission
from tests.chaos.pipeline.traffic import REASONS, Traffic, direct_submission, enqueued_submission

_FLUSH: Final = 10.0  # seconds
_QUEUE_CHECK: Final = 500  # envelopes between checks of the queue's length
_NAP: Final = 0.02  # seconds


class Submitter:
    """Submits the traffic once. `direct_sqs` is a client that reaches the queue without the proxy."""

    def __init__(self, plan: Plan, journal: IO[str], direct_sqs: Any, queue_url: str) -> None:
        self._plan = plan
        self._journal = journal
        self._direct_sqs = direct_sqs
        self._queue_url = queue_url
        self._producer = RecommendationProducer.from_env(max_items=plan.buffer)
        self._direct_bodies: list[str] = []

    def run(self) -> None:
        """Submit everything, wait until it is sent, and write the balance to the journal."""
        traffic = Traffic(self._plan.seed, date.fromisoformat(self._plan.day))
        # Newer schemas first: a message that must be received five times takes longest.
        order = sorted(range(self._plan.envelopes), key=lambda number: traffic.kind(number) != "newer schema")
        for place, number in enumerate(order):
            self._wait_for_room(place)
            kind = traffic.kind(number)
            if kind in REASONS:
                self._put_directly(f"{number} {kind}", kind, traffic.direct_body(number))
                continue
            # An envelope enqueued twice is one submission; an envelope that conflicts with another is a second one.
            submissions: dict[str | None, Submission] = {}
            for fields in traffic.enqueued(number):
                submission = enqueued_submission(f"{number} {kind}{' (other)' if submissions else ''}", kind, fields)
                outcome = self._producer.enqueue(**fields)
                known = submissions.get(submission.body)
                if known is None or known.dropped is not None:
                    submissions[submission.body] = replace(known or submission, dropped=outcome.reason)
            for submission in submissions.values():
                self._write(submission.to_json())
        self._send_direct_bodies()
        while self._producer.flush(_FLUSH).pending:  # on a busy machine one flush is not enough
            self._journal.flush()
        balance = self._producer.close()
        self._write(
            {
                "accepted": balance.accepted,
                "sent": balance.sent,
                "dropped": dict(balance.dropped),
                "pending": balance.pending,
            }
        )

    def _wait_for_room(self, place: int) -> None:
        """Let the buffer overflow in the first burst only, and keep the queue short, for the emulator's sake."""
        while place > 2 * self._plan.buffer and self._producer.balance.pending > self._plan.buffer // 2:
            time.sleep(_NAP)
        if place % _QUEUE_CHECK == 0:
            while waiting(self._direct_sqs, self._queue_url) > self._plan.queued:
                time.sleep(_NAP)

    def _put_directly(self, name: str, kind: str, body: str) -> None:
        self._write(direct_submission(name, kind, body).to_json())
        self._direct_bodies.append(body)
        if len(self._direct_bodies) == limits.SQS_BATCH_ENTRIES:
            self._send_direct_bodies()

    def _send_direct_bodies(self) -> None:
        entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(self._direct_bodies)]
        if entries:
            response = self._direct_sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            if len(response["Successful"]) != len(entries):
                raise RuntimeError(f"the queue itself refused messages put into it directly: {response['Failed']}")
        self._direct_bodies = []

    def _write(self, line: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()  # its length shows the run that the producer makes progress


def read_journal(path: Path) -> tuple[Sequence[Submission], Mapping[str, Any]]:
    """Return the submissions and the producer's balance. Raises `ValueError` if the process did not finish."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if not lines or "accepted" not in lines[-1]:
        raise ValueError(f"{path} does not end with a balance: the producer process did not finish")
    return [Submission(**line) for line in lines[:-1]], lines[-1]


def main() -> None:
    """Submit the traffic of the plan from the command line."""
    plan = Plan.from_json(sys.argv[1])
    direct_sqs = boto3.client("sqs", endpoint_url=os.environ["CHAOS_SQS_URL"])
    with Path(plan.folder, "journal.jsonl").open("w") as journal:
        Submitter(plan, journal, direct_sqs, os.environ["RECOMMENDATIONS_QUEUE_URL"]).run()


if __name__ == "__main__":
    main()
