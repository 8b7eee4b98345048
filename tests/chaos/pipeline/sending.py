"""The producer process: hands the traffic over, and writes down what must become of every letter.

`python -m tests.chaos.pipeline.sending PLAN`, with the environment that `processes` makes.
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
from tests.chaos.pipeline.letter import Letter
from tests.chaos.pipeline.plan import Plan
from tests.chaos.pipeline.traffic import REASONS, Traffic, letter_of_body, letter_of_fields

_LAST_FLUSH: Final = 120.0  # seconds
_LOOK: Final = 500  # envelopes between looks at the queue's length
_NAP: Final = 0.02  # seconds


class Sending:
    """One pass over the traffic. `beside` is a client that reaches the queue without the proxy."""

    def __init__(self, plan: Plan, journal: IO[str], beside: Any, queue_url: str) -> None:
        self._plan = plan
        self._journal = journal
        self._beside = beside
        self._queue_url = queue_url
        self._producer = RecommendationProducer.from_env(max_items=plan.buffer)
        self._put: list[str] = []

    def run(self) -> None:
        """Hand everything over, wait until it is sent, and write down the balance."""
        traffic = Traffic(self._plan.seed, date.fromisoformat(self._plan.day))
        # Those of a newer schema first: nothing waits as long as a message that is to be received five times.
        order = sorted(range(self._plan.envelopes), key=lambda number: traffic.kind(number) != "newer schema")
        for place, number in enumerate(order):
            self._wait_for_room(place)
            kind = traffic.kind(number)
            if kind in REASONS:
                self._put_beside(f"{number} {kind}", kind, traffic.put(number))
                continue
            # What is sent twice is one letter; an envelope in conflict with another is a letter of its own.
            letters: dict[str | None, Letter] = {}
            for fields in traffic.enqueued(number):
                letter = letter_of_fields(f"{number} {kind}{' (other)' if letters else ''}", kind, fields)
                outcome = self._producer.enqueue(**fields)
                known = letters.get(letter.body)
                if known is None or known.dropped is not None:
                    letters[letter.body] = replace(known or letter, dropped=outcome.reason)
            for letter in letters.values():
                self._write(letter.to_json())
        self._send_put()
        self._producer.flush(_LAST_FLUSH)
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
        """Let the buffer overflow in the first burst only, and keep the queue as short as the emulator likes it."""
        while place > 2 * self._plan.buffer and self._producer.balance.pending > self._plan.buffer // 2:
            time.sleep(_NAP)
        if place % _LOOK == 0:
            while waiting(self._beside, self._queue_url) > self._plan.queued:
                time.sleep(_NAP)

    def _put_beside(self, name: str, kind: str, body: str) -> None:
        self._write(letter_of_body(name, kind, body).to_json())
        self._put.append(body)
        if len(self._put) == limits.SQS_BATCH_ENTRIES:
            self._send_put()

    def _send_put(self) -> None:
        entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(self._put)]
        if entries:
            answer = self._beside.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            if len(answer["Successful"]) != len(entries):
                raise RuntimeError(f"the queue itself refused what was put into it: {answer['Failed']}")
        self._put = []

    def _write(self, line: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(line) + "\n")


def read_journal(path: Path) -> tuple[Sequence[Letter], Mapping[str, Any]]:
    """Return the letters and the producer's balance. Raises `ValueError` when the process did not finish."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if not lines or "accepted" not in lines[-1]:
        raise ValueError(f"{path} has no balance at its end: the producer process did not finish")
    return [Letter(**line) for line in lines[:-1]], lines[-1]


def main() -> None:
    """Run, with the plan from the command line."""
    plan = Plan.from_json(sys.argv[1])
    beside = boto3.client("sqs", endpoint_url=os.environ["CHAOS_SQS_URL"])
    with Path(plan.folder, "journal.jsonl").open("w") as journal:
        Sending(plan, journal, beside, os.environ["RECOMMENDATIONS_QUEUE_URL"]).run()


if __name__ == "__main__":
    main()
