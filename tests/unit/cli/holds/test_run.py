"""`recs hold` and `recs release` on a table in memory, on a clock that only waiting advances."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.holds.records import Records
from recommendation_cli.marks.settling import SETTLED_SECONDS
from recommendation_cli.runtime import Runtime
from recommendation_shared.item.holds import Hold, hold_attribute
from recommendation_shared.item.marks import mark_item, mark_key, read_mark
from tests.support.fakes.aws import Clock, client_error
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.fakes.recommendation_table import COMPLETED, NOW, item
from tests.support.marks import ANN, Sts, erased, held, released

INCIDENT = "incident-7"
KEY = mark_key(INCIDENT)
DAY = timedelta(days=1)


def _table(*stored: Any, **behaviour: Any) -> ConditionalTable:
    return ConditionalTable({each["recommendationId"]["S"]: each for each in stored}, page=2, **behaviour)


def _three() -> list[Any]:
    return [item(age=timedelta(minutes=number)) for number in range(3)]


def _run(
    table: ConditionalTable, *args: str, when_waiting: Callable[[], None] = lambda: None, now: float = NOW.timestamp()
) -> Result:
    clock = Clock()
    started = clock.monotonic()

    def sleep(seconds: float) -> None:
        clock.now += seconds
        when_waiting()

    runtime = Runtime(
        now=lambda: now + clock.monotonic() - started,
        environ={},
        connect=lambda _target: table,
        create_client=lambda service, _location: Sts() if service == "sts" else table,
        monotonic=clock.monotonic,
        sleep=sleep,
    )
    return CliRunner().invoke(recs, args, obj=runtime)


def _hold(table: ConditionalTable, *args: str, **behaviour: Any) -> Result:
    return _run(table, "hold", INCIDENT, "--reason", "Legal hold 42", *args, **behaviour)


def _release(table: ConditionalTable, *args: str, **behaviour: Any) -> Result:
    return _run(table, "release", INCIDENT, "--reason", "Settled", *args, **behaviour)


def _records(table: ConditionalTable) -> list[Any]:
    return [each for key, each in table.items.items() if key.startswith("rec-")]


def test_hold_takes_the_ttl_of_every_record_and_says_who_holds_it_and_why() -> None:
    """Of this incident alone, and content and digest stay as they were."""
    other = item(incident_id="incident-8")
    table = _table(*_three(), other)
    result = _hold(table)
    assert result.exit_code == 0, result.output
    assert "3 recommendations held since 2026-02-01 12:00 UTC by assumed-role/RecommendationCuratorRole/ann" in (
        result.stdout
    )
    hold = hold_attribute(Hold("Legal hold 42", ANN, "2026-02-01T12:00:00.000000Z"))
    expected = [{**{name: each[name] for name in each if name != "ttl"}, "hold": hold} for each in _three()]
    assert _records(table) == [*expected, other]
    assert read_mark(table.items[KEY]).is_held


def test_the_mark_is_written_before_any_record() -> None:
    """From then on, consumers hold what they store."""
    table = _table(*_three())
    _hold(table)
    first, *rest = [new for _old, new in table.changes if new is not None]
    assert first["recommendationId"]["S"] == KEY
    assert len(rest) == 3


def test_hold_waits_until_every_consumer_knows_and_then_looks_again() -> None:
    """What a consumer stored meanwhile, because it did not know yet, is held too."""
    table = _table(*_three())
    late = item(agent_type="late")
    ticks: list[int] = []

    def store() -> None:
        ticks.append(1)
        table.items.setdefault(late["recommendationId"]["S"], late)

    result = _hold(table, when_waiting=store)
    assert result.exit_code == 0
    assert len(ticks) == SETTLED_SECONDS
    assert all("hold" in record and "ttl" not in record for record in _records(table))
    assert "4 recommendations" in result.stdout


def test_no_wait_says_what_it_gives_up() -> None:
    """The two minutes are there for a reason."""
    ticks: list[int] = []
    result = _hold(_table(*_three()), "--no-wait", when_waiting=lambda: ticks.append(1))
    assert (result.exit_code, ticks) == (0, [])
    assert "may have been missed" in result.stderr


@pytest.mark.parametrize("killed_at", [1, 2, 3, 4])
def test_interrupted_hold_goes_on_when_it_is_run_again(killed_at: int) -> None:
    """With the hold that was begun: by the same person, since the same time."""

    def kill(number: int) -> None:
        if number == killed_at:
            raise KeyboardInterrupt

    table = _table(*_three(), before_write=kill)
    result = _hold(table)
    assert result.exit_code == 130
    assert "run the same command again" in result.stderr
    assert _hold(table, now=(NOW + DAY).timestamp()).exit_code == 0
    since = {record["hold"]["M"]["at"]["S"] for record in _records(table)}
    assert since == {"2026-02-02T12:00:00.000000Z" if killed_at == 1 else "2026-02-01T12:00:00.000000Z"}


def test_record_that_is_written_in_between_is_changed_by_the_next_sweep() -> None:
    """A consumer may replace an item between reading and updating it."""
    first, *_ = _three()
    table = _table(first)

    def rewrite(number: int) -> None:
        if number == 2:
            table.items[first["recommendationId"]["S"]] = {**first, "ttl": {"N": "1"}}

    table._before_write = rewrite
    assert _hold(table).exit_code == 0
    (record,) = _records(table)
    assert "ttl" not in record


def test_record_that_changes_again_and_again_is_left_with_exit_code_4() -> None:
    """Better than to go on for ever, or to say that it is held."""
    table = _table(*_three())

    def rewrite(number: int) -> None:
        if number > 1:
            for record in _records(table):
                record["ttl"] = {"N": str(number)}

    table._before_write = rewrite
    result = _hold(table)
    assert result.exit_code == 4
    assert "run the same command again" in result.stderr


def test_incident_that_is_held_already_is_not_held_again_for_another_reason() -> None:
    """Whoever holds it would not know that the reason changed."""
    table = _table(*_three(), mark_item(held(INCIDENT, "Another reason")))
    result = _hold(table)
    assert result.exit_code == 2
    assert "already held since 2026-02-01 09:00 UTC" in result.stderr
    assert "Another reason" in result.stderr
    assert table.writes == 0


def test_release_that_was_stopped_does_not_undo_a_hold_made_since() -> None:
    """A machine that slept for an hour goes on with its release: the mark says by then that the records must stay."""
    table = _table(*_three())
    assert _hold(table).exit_code == 0
    held_again: list[Result] = []

    def hold_again() -> None:
        if not held_again:
            held_again.append(_hold(table, now=(NOW + 2 * DAY).timestamp()))

    result = _release(table, when_waiting=hold_again, now=(NOW + DAY).timestamp())
    assert [one.exit_code for one in held_again] == [0]
    assert result.exit_code == 4
    assert "changed this incident's mark" in result.stderr
    assert {record["hold"]["M"]["at"]["S"] for record in _records(table)} == {"2026-02-03T12:00:00.000000Z"}
    assert all("ttl" not in record for record in _records(table))


def test_release_that_was_stopped_between_two_records_does_not_go_on_when_they_are_held_again() -> None:
    """While it stood still, somebody held the incident again and was told that it is held."""
    table = _table(*_three())
    assert _hold(table).exit_code == 0
    batch_get_item = table.batch_get_item

    def stop(**parameters: Any) -> Any:
        found = batch_get_item(**parameters)
        table.batch_get_item = batch_get_item  # type: ignore[method-assign]  # stops once
        assert _hold(table, now=(NOW + 2 * DAY).timestamp()).exit_code == 0
        return found

    table.writes = 0

    def watch(number: int) -> None:
        if number == 1:  # the mark is written next, and then the records are read
            table.batch_get_item = stop  # type: ignore[method-assign]  # between reading and changing them

    table._before_write = watch
    result = _release(table, now=(NOW + DAY).timestamp())
    assert result.exit_code == 4
    assert all("hold" in record and "ttl" not in record for record in _records(table))


def test_hold_that_was_stopped_does_not_undo_a_release_made_since() -> None:
    """The records would stay for good, with no mark that says so."""
    table = _table(*_three())
    released_since: list[Result] = []

    def release_it() -> None:
        if not released_since:
            released_since.append(_release(table, now=(NOW + DAY).timestamp()))

    result = _hold(table, when_waiting=release_it)
    assert [one.exit_code for one in released_since] == [0]
    assert result.exit_code == 4
    assert _records(table) == _three()


def test_erased_incident_cannot_be_held() -> None:
    """There is nothing left."""
    result = _hold(_table(mark_item(erased(INCIDENT))), "--yes")
    assert result.exit_code == 2
    assert "cannot become held. It was erased 2026-02-02 09:00 UTC by" in result.stderr


def test_incident_without_records_is_held_only_if_that_is_meant() -> None:
    """It may be a typing error."""
    table = _table()
    result = _hold(table)
    assert (result.exit_code, table.writes) == (2, 0)
    assert "There is no recommendation of incident incident-7 yet" in result.stderr
    assert _hold(table, "--yes").exit_code == 0
    assert read_mark(table.items[KEY]).is_held


def test_mistyped_id_is_told_from_a_new_one_by_similar_ids() -> None:
    """Otherwise a legal hold would be on nothing, and what it is for would expire."""
    table = _table(item(incident_id="incident-77"))
    result = _hold(table)
    assert (result.exit_code, table.writes) == (2, 0)
    assert "There is no recommendation of incident incident-7 yet (but of incident-77). Hold" in result.stderr


@pytest.mark.parametrize("incident_id", ["incident\n7", "incident\x7f7"])
def test_id_that_no_recommendation_can_have_is_not_held(incident_id: str) -> None:
    """Consumers could not read its mark, and would say so every minute."""
    table = _table()
    result = _run(table, "hold", incident_id, "--reason", "Legal hold 42", "--yes")
    assert (result.exit_code, table.items) == (2, {})
    assert "must not contain control characters" in result.stderr


def test_release_gives_back_the_ttl_that_follows_from_the_content() -> None:
    """The items are then what the consumer wrote, byte for byte."""
    before = [*_three(), item(agent_type="kept", retention=None)]
    table = _table(*before)
    assert _hold(table).exit_code == 0
    result = _release(table)
    assert result.exit_code == 0, result.output
    assert "incident-7 is released: 4 recommendations" in result.stdout
    assert _records(table) == before
    assert [entry.action for entry in read_mark(table.items[KEY]).history] == ["held", "released"]


def test_release_asks_before_records_past_their_retention_go() -> None:
    """DynamoDB deletes them soon after."""
    table = _table(*_three(), item(agent_type="long", retention=3650))
    assert _hold(table).exit_code == 0
    later = (COMPLETED + 100 * DAY).timestamp()
    result = _release(table, now=later)
    assert result.exit_code == 2
    assert "DynamoDB will delete 3 recommendations of incident incident-7" in result.stderr
    assert all("hold" in record for record in _records(table))
    assert _release(table, "--yes", now=later).exit_code == 0
    assert all("hold" not in record for record in _records(table))


def test_release_leaves_what_the_consumer_did_not_write_and_exits_with_4() -> None:
    """No ttl follows from it, so it stays held rather than for good."""
    odd = {**item(), "timestamp": {"S": "yesterday"}, "hold": hold_attribute(Hold("Legal", ANN, "x"))}
    table = _table(odd, mark_item(held(INCIDENT)))
    result = _release(table)
    assert result.exit_code == 4
    assert "1 recommendation stayed as before" in result.stderr
    assert _records(table) == [odd]


def test_release_of_an_incident_that_was_never_held_is_a_usage_error() -> None:
    """So a typing error does not pass for a release."""
    result = _release(_table(*_three()))
    assert result.exit_code == 2
    assert "is not held" in result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "text"),
    [
        (client_error("AccessDeniedException"), 3, "RecommendationCuratorRole"),
        (client_error("ThrottlingException"), 3, "run the same command again"),
        (client_error("ConditionalCheckFailedException"), 4, "changed this incident's mark"),
    ],
)
def test_refused_write_of_the_mark_ends_the_command(error: Exception, exit_code: int, text: str) -> None:
    """In one sentence with the remedy, and no record is touched."""

    def refuse(_number: int) -> None:
        raise error

    table = _table(*_three(), before_write=refuse)
    result = _hold(table)
    assert (result.exit_code, table.changes) == (exit_code, [])
    assert text in result.stderr


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 1001])
def test_reason_is_one_line(reason: str) -> None:
    """It is printed in lists, and stored in every record."""
    result = _run(_table(*_three()), "hold", INCIDENT, "--reason", reason)
    assert result.exit_code == 2
    assert "1 to 1000 bytes" in result.stderr


def test_holds_lists_who_holds_what_and_why() -> None:
    """With --all also what was released or erased; an erased incident by its hash alone."""
    marks = [held("incident-7"), released("incident-8"), erased("incident-9")]
    table = _table(*map(mark_item, marks))
    result = _run(table, "holds")
    assert result.exit_code == 0
    assert "incident-7" in result.stdout
    assert "assumed-role/RecommendationCuratorRole/ann" in result.stdout
    assert "Legal hold 42" in result.stdout
    assert "incident-8" not in result.stdout
    everything = _run(table, "holds", "--all").stdout
    assert "SHA-256" in everything
    assert "incident-9" not in everything
    records = json.loads(_run(table, "holds", "--all", "-o", "json").stdout)
    assert sorted((record["incidentId"] or "", record["state"]) for record in records) == [
        ("", "erased"),
        ("incident-7", "held"),
        ("incident-8", "released"),
    ]


def test_holds_without_any_exits_with_1_and_names_what_it_cannot_read() -> None:
    """A mark that was edited by hand must not pass for none."""
    assert _run(_table(), "holds").exit_code == 1
    table = _table({**mark_item(held("incident-7")), "note": {"S": "mine"}})
    result = _run(table, "holds")
    assert result.exit_code == 1
    assert f"{mark_key('incident-7')}: the incident mark is malformed" in result.stderr


def test_records_are_read_from_the_table_and_not_from_its_index() -> None:
    """The index has the keys; what it says else may be old."""
    table = _table(*_three())
    assert [record["contentDigest"] for record in Records(table, "table", INCIDENT)] == [
        record["contentDigest"] for record in reversed(_three())
    ]
