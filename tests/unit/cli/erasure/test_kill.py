"""`recs erase` killed at every call it makes: whatever the moment, the next run ends with nothing left."""

from pathlib import Path
from typing import Final

import pytest

from recommendation_cli.aws.connection import Target
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_consumer.keeper.change import Change
from recommendation_consumer.keeper.judgement import judge
from recommendation_consumer.keeper.letter import REASONS
from recommendation_shared.item.marks import State, mark_key, read_mark
from tests.support.fakes.dead_letter_queue import DLQ, body
from tests.support.fakes.erasable_account import (
    BUCKET,
    INCIDENT,
    OTHER,
    OTHER_FILE,
    SHARED_FILE,
    Account,
    Killed,
    filled_account,
)
from tests.support.fakes.recommendation_table import TABLE

ERASE: Final = ("erase", INCIDENT, "--archive-bucket", BUCKET, "--reason", "r", "--confirm", INCIDENT)
LONGEST_HOLD: Final = 3600.0  # seconds; the messages of a killed run are then visible again
DELETING: Final = {"delete_item", "delete_message_batch", "put_object", "delete_object"}


@pytest.mark.parametrize("after", [False, True], ids=["before the call acts", "after it has acted"])
def test_killed_at_any_call_the_next_run_finishes(tmp_path: Path, *, after: bool) -> None:
    """Nothing is deleted before the mark is there, nobody else's content goes, and the keeper makes no letter."""
    whole = filled_account()
    assert whole.run(tmp_path, *ERASE).exit_code == 0
    for kill_at in range(len(whole.calls)):
        account = filled_account()
        account.kill_at, account.kill_after = kill_at, after
        with pytest.raises(Killed):
            account.run(tmp_path, *ERASE)
        where = f"killed at call {kill_at}, {account.calls[kill_at]}"
        assert mark_key(INCIDENT) in account.tables.recommendations or not DELETING & set(account.calls), where
        account.kill_at = None
        account.clock.sleep(LONGEST_HOLD)
        result = account.run(tmp_path, *ERASE)
        assert result.exit_code == 0, (where, result.output)
        _nothing_is_left(account, where)
        _keeper_makes_no_letter(account, where)


def _nothing_is_left(account: Account, where: str) -> None:
    mark = read_mark(account.tables.recommendations.pop(mark_key(INCIDENT)))
    assert mark.state is State.ERASED, where
    assert (mark.counts["recommendations"], len(mark.erased)) == (3, 3), where
    # What a killed run had deleted but not yet counted is missing, at most one batch of each.
    assert mark.counts.get("dead letters", 0) <= 2, where
    assert mark.counts.get("archived lines", 0) <= 3, where
    assert [item["incidentId"]["S"] for item in account.tables.recommendations.values()] == [OTHER], where
    assert account.review_incidents() == [OTHER], where
    assert account.sqs.bodies(DLQ) == [body(2, incident_id=OTHER)], where
    assert account.bucket.files.keys() == {SHARED_FILE, OTHER_FILE}, where


def _keeper_makes_no_letter(account: Account, where: str) -> None:
    for number, (old, new) in enumerate(account.tables.changes()):
        change = Change(f"event-{number}", str(number), "arn", account.clock.now(), "", old, new)
        judgement = judge(change)
        assert judgement not in REASONS, (where, judgement)


def test_item_that_a_consumer_replaces_just_before_it_is_deleted_makes_no_letter(tmp_path: Path) -> None:
    """The consumer does not know the mark yet, and its write removes what announces the deletion."""
    account = filled_account()
    originals = dict(account.tables.recommendations)
    replaced: list[str] = []

    def replace_once(key: str) -> None:
        if key not in replaced:
            replaced.append(key)
            account.tables.put([originals[key]])

    account.tables.before_delete = replace_once
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert len(replaced) == 3
    _keeper_makes_no_letter(account, "")
    _nothing_is_left(account, "")


def test_item_that_ttl_removes_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    """DynamoDB creates what an UpdateItem without a condition does not find."""
    account = filled_account()
    account.tables.before_announcement = account.tables.recommendations.__delitem__
    assert account.run(tmp_path, *ERASE).exit_code == 0
    _nothing_is_left(account, "")


def test_nothing_is_counted_before_the_mark_is_there() -> None:
    """Who deletes counts first, so nothing is deleted either."""
    tombstone = Tombstone(filled_account().tables, Target(TABLE), INCIDENT)
    with pytest.raises(RuntimeError, match="before the mark says so"):
        tombstone.add("recommendations", 1)


def test_item_that_a_consumer_replaces_again_and_again_is_left(tmp_path: Path) -> None:
    """The command ends, and says so."""
    account = filled_account()
    originals = dict(account.tables.recommendations)
    account.tables.before_delete = lambda key: account.tables.put([originals[key]])
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert "3 recommendations that a consumer stored again each time" in result.stderr
    assert account.tables.recommendations[mark_key(INCIDENT)]["metadata"]["M"]["state"] == {"S": State.ERASING}
