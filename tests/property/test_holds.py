"""Whatever is delivered, redelivered, held, released and interrupted, in any order: a held record keeps its hold."""

import asyncio
import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from recommendation_cli.aws.connection import Target
from recommendation_cli.holds.options import Request
from recommendation_cli.holds.run import hold_incident, release_incident
from recommendation_cli.runtime import Runtime
from recommendation_consumer.invocation import consume
from recommendation_consumer.keeper.change import Change
from recommendation_consumer.keeper.judgement import Judgement, judge
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item, item_digest
from recommendation_shared.item.holds import Hold
from recommendation_shared.item.marks import KEY_PREFIX, MARKS_MAX_AGE
from tests.support.fakes.aws import TABLE, Clock, FakeTable, dependencies
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.lambdas.event import Context, again, body, record
from tests.support.marks import Sts

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

INCIDENT = "incident-123"
ARN = "arn:aws:sts::123456789012:assumed-role/RecommendationCuratorRole/ann"
MESSAGES = [
    *(record(f"m-{agent}", body(agent)) for agent in ("agent-1", "agent-2", "agent-3")),
    record("m-kept", body("agent-4", retention=None)),
    record("m-short", body("agent-5", retention=1)),
    record("m-elsewhere", body("agent-6", incident_id="incident-9")),
]
EXPECTED = {
    item.recommendation_id: json.loads(item.body)
    for item in (encode_item(read_envelope(message["body"])) for message in MESSAGES)
}
EXPECTED_CHANGES = {Judgement.UNCHANGED, Judgement.HELD, Judgement.RELEASED, Judgement.MARKED}

deliveries = st.tuples(st.integers(0, 1), st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=6), st.booleans())
Delivery = tuple[int, list[dict[str, Any]], bool]


class HoldsMachine(RuleBasedStateMachine):
    """Two sandboxes of the consumer and an operator work on one table, on one clock.

    A sandbox may know the marks of a minute ago. `wanted` is what the last completed command made of the incident: its
    hold, None once it is released, and unknown (False) after an interruption.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.items: dict[str, Any] = {}
        self.table = FakeTable()
        self.table.items = self.items
        self.sandboxes = [dependencies(self.table, self.clock) for _ in range(2)]
        self.wanted: Hold | bool | None = None
        self.commands = 0

    @rule(delivery=deliveries)
    def deliver(self, delivery: Delivery) -> None:
        """A batch reaches one of the sandboxes, for the first time or again."""
        number, messages, is_again = delivery
        before = copy.deepcopy(self.items)
        batch = {"Records": [again(message) if is_again else message for message in messages]}
        response = asyncio.run(consume(batch, Context(), self.sandboxes[number]))
        assert response == {"batchItemFailures": []}
        self._judge([(before[key], item) for key, item in self.items.items() if before.get(key, item) != item])

    @rule(seconds=st.sampled_from([1.0, 30.0, MARKS_MAX_AGE, 86_400.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds

    @rule()
    def expire(self) -> None:
        """TTL removes what is past it: nothing of a held incident."""
        now = self.clock.wall()
        for key in [key for key, item in self.items.items() if float(item.get("ttl", {"N": "inf"})["N"]) <= now]:
            assert not (isinstance(self.wanted, Hold) and self.items[key]["incidentId"]["S"] == INCIDENT)
            del self.items[key]

    @rule(during=st.lists(deliveries, max_size=6), killed_at=st.one_of(st.none(), st.integers(1, 6)))
    def hold(self, during: list[Delivery], killed_at: int | None) -> None:
        """An operator holds the incident, or completes a hold, while batches arrive."""
        if self._run(hold_incident, during, killed_at):
            (mark,) = (item for key, item in self.items.items() if key.startswith(KEY_PREFIX))
            texts = {name: text["S"] for name, text in mark["metadata"]["M"]["hold"]["M"].items()}
            self.wanted = Hold(**texts)

    @rule(during=st.lists(deliveries, max_size=6), killed_at=st.one_of(st.none(), st.integers(1, 6)))
    def release(self, during: list[Delivery], killed_at: int | None) -> None:
        """An operator releases the incident, if it was ever held."""
        if any(key.startswith(KEY_PREFIX) for key in self.items) and self._run(release_incident, during, killed_at):
            self.wanted = None

    def _run(self, command: Callable[..., None], during: list[Delivery], killed_at: int | None) -> bool:
        """Run a command; return whether it came to its end."""
        left = list(during)

        def sleep(seconds: float) -> None:
            self.clock.now += seconds
            if left:
                self.deliver(left.pop())

        def kill(number: int) -> None:
            if number == killed_at:
                raise KeyboardInterrupt

        table = ConditionalTable(self.items, page=2, before_write=kill)
        runtime = Runtime(
            now=self.clock.wall,
            environ={},
            connect=lambda _target: table,
            create_client=lambda service, _location: Sts(ARN) if service == "sts" else table,
            monotonic=self.clock.monotonic,
            sleep=sleep,
        )
        self.wanted = False
        try:
            command(runtime, Target(TABLE), Request(INCIDENT, "Legal hold 42", wait=True, yes=True))
        except KeyboardInterrupt:
            return False
        finally:
            self._judge([(old, new) for old, new in table.changes if old is not None])
        return True

    def _judge(self, changes: Sequence[tuple[dict[str, Any], dict[str, Any] | None]]) -> None:
        """The keeper makes a dead letter of none of these changes."""
        for old, new in changes:
            change = Change("event-1", "1", "stream", self.clock.wall(), "", old, new)
            assert judge(change) in EXPECTED_CHANGES

    @invariant()
    def every_record_is_as_the_last_command_wants_it(self) -> None:
        """With its hold or without, and its digest valid; another incident's records are untouched."""
        for key, item in self.items.items():
            if key.startswith(KEY_PREFIX):
                continue
            assert item_digest(item) == item["contentDigest"]["S"]
            if item["incidentId"]["S"] != INCIDENT or self.wanted is None:
                assert item == EXPECTED[key]
            elif isinstance(self.wanted, Hold):
                assert item["hold"]["M"] == {name: {"S": text} for name, text in self.wanted._asdict().items()}
                assert "ttl" not in item


HoldsMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=12)
TestHolds = pytest.mark.usefixtures("capsys")(HoldsMachine.TestCase)
