"""`recs erase` over real HTTP, with the real consumer and keeper: nothing comes back, and nothing is kept."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from recommendation_cli.runtime import Runtime
from recommendation_consumer.handler import handler
from recommendation_consumer.keeper.handler import handler as keeper
from recommendation_consumer.keeper.handler import sandbox as keeper_sandbox
from recommendation_shared.item.marks import State
from tests.support.erasable_world import World, erasable_world
from tests.support.fakes.dead_letter_queue import body
from tests.support.fakes.erasable_account import INCIDENT, OTHER
from tests.support.lambdas.event import Context, record
from tests.support.lambdas.sandbox import lambda_sandbox

NOTHING_LEFT: Final = {"items": [OTHER], "reviews": [OTHER], "letters": [OTHER], "lines": [OTHER, OTHER]}


@pytest.fixture
def world(moto_server: str) -> Iterator[World]:
    """An incident with something in every place, beside another."""
    with erasable_world(moto_server, "erased") as world:
        yield world


def _without_waiting(runtime: Runtime) -> Runtime:
    """Return a runtime whose clocks advance at once by what it sleeps."""
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    return replace(runtime, now=lambda: time.time() + slept, monotonic=lambda: time.monotonic() + slept, sleep=sleep)


def _stream(world: World) -> list[dict[str, Any]]:
    """Return the changes of the table, as the keeper's mapping would deliver them."""
    streams = world.client("dynamodbstreams")
    arn = world.client("dynamodb").describe_table(TableName=world.table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    for one in records:
        one["eventSourceARN"] = arn
        one["dynamodb"]["ApproximateCreationDateTime"] = time.time()
    return [one for one in records if one["eventName"] in {"MODIFY", "REMOVE"}]


def test_erased_incident_stays_away_and_the_keeper_keeps_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is delivered late, after its item was stored and erased, is acknowledged and not stored."""
    for name, value in world.environ().items():
        monkeypatch.setenv(name, value)
    command = ["erase", INCIDENT, "--reason", "request 4711", "--confirm", INCIDENT]
    result = CliRunner().invoke(recs, command, obj=_without_waiting(Runtime.of_process()))
    assert result.exit_code == 0, result.output
    assert "Erased 3 recommendations, 2 dead letters, 2 reviews, 3 archived lines." in result.stdout
    assert world.incidents() == NOTHING_LEFT
    mark = world.mark()
    assert mark is not None
    assert (mark.state, mark.counts["recommendations"]) == (State.ERASED, 3)

    late = [record(f"late-{number}", body(number)) for number in range(2)]
    other = record("other", body(7, incident_id=OTHER, agent_type="knowledge-rag"))
    with lambda_sandbox(world.endpoint, world.dlq_url, world.table):
        assert handler({"Records": [*late, other]}, Context()) == {"batchItemFailures": []}
    assert world.incidents() == {**NOTHING_LEFT, "items": [OTHER, OTHER]}

    changes = _stream(world)
    assert [change["eventName"] for change in changes].count("REMOVE") == 3
    keeper_sandbox.cache_clear()
    assert keeper({"Records": changes}, Context()) == {"batchItemFailures": []}
    keeper_sandbox().runner.close()
    keeper_sandbox.cache_clear()
    assert world.incidents()["letters"] == [OTHER]


@pytest.mark.parametrize("action", ["DeleteItem", "DeleteMessageBatch"])
def test_process_killed_at_a_call_is_finished_by_the_next_one(world: World, action: str) -> None:
    """SIGKILL just after the server has acted; tests/unit/cli/erasure/test_kill.py has every call."""
    command = ("erase", INCIDENT, "--reason", "request 4711", "--confirm", INCIDENT, "--hold", "1", "--no-wait")
    world.proxy.hold(action, "after")
    process = world.start(*command)
    try:
        assert world.proxy.reached.wait(30), process.communicate(timeout=5)
    finally:
        process.kill()
        process.communicate()
    mark = world.mark()
    assert mark is not None
    assert mark.state is State.ERASING
    assert INCIDENT not in json.dumps(mark)
    world.let_the_mark_settle()
    finished = world.start(*command)
    stdout, stderr = finished.communicate(timeout=60)
    assert finished.returncode == 0, stdout + stderr
    assert world.incidents() == NOTHING_LEFT
