"""`recs erase`: what is deleted, what stays, what is said, and how it ends."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from recommendation_cli.marks.settling import SETTLED_SECONDS
from recommendation_shared import limits
from recommendation_shared.item.marks import (
    Entry,
    ErasedRecord,
    Mark,
    State,
    hashed,
    mark_item,
    mark_key,
    moved,
    read_mark,
)
from recommendation_shared.item.message_body import message_body
from recommendation_shared.item.size import item_size
from tests.support.fakes.dead_letter_queue import DLQ, body, text_attributes
from tests.support.fakes.erasable_account import (
    ARN,
    BUCKET,
    INCIDENT,
    OTHER,
    OTHER_FILE,
    SHARED_FILE,
    Account,
)
from tests.support.fakes.recommendation_table import Item, item, recommendation_id

REASON: Final = "request 4711"
ERASE: Final = ("erase", INCIDENT, "--archive-bucket", BUCKET, "--reason", REASON, "--confirm", INCIDENT)


def mark_of(account: Account) -> Mark:
    """Return the incident's mark."""
    return read_mark(account.tables.recommendations[mark_key(INCIDENT)])


def of_incident(account: Account) -> list[Item]:
    """Return the incident's recommendations."""
    return [stored for stored in account.tables.recommendations.values() if stored.get("incidentId") == {"S": INCIDENT}]


def _state(account: Account) -> tuple[Any, ...]:
    """Return everything that an erasure may change."""
    return (
        *(dict(account.tables.recommendations), account.review_incidents()),
        *(dict(account.bucket.files), account.sqs.bodies(DLQ)),
    )


def test_everything_of_the_incident_is_deleted_and_nothing_else(account: Account, tmp_path: Path) -> None:
    """The other incident's line of a shared file stays byte for byte."""
    other_file = account.bucket.files[OTHER_FILE]
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0, result.output
    assert of_incident(account) == []
    assert account.tables.recommendations.keys() == {recommendation_id(item(incident_id=OTHER)), mark_key(INCIDENT)}
    assert account.review_incidents() == [OTHER]
    assert account.sqs.bodies(DLQ) == [body(2, incident_id=OTHER)]
    assert account.bucket.files.keys() == {SHARED_FILE, OTHER_FILE}
    assert account.bucket.files[OTHER_FILE] == other_file
    (line,) = gzip.decompress(account.bucket.files[SHARED_FILE]).splitlines()
    assert json.loads(line)["incidentId"] == OTHER
    assert "Erased 3 recommendations, 2 dead letters, 2 reviews, 3 archived lines." in result.stdout


def test_mark_keeps_who_when_why_counts_hashes_and_digests_but_no_content(account: Account, tmp_path: Path) -> None:
    """The mark is all that is left."""
    records = {ErasedRecord(hashed(recommendation_id(one)), one["contentDigest"]["S"]) for one in of_incident(account)}
    account.run(tmp_path, *ERASE)
    mark = mark_of(account)
    assert [(entry.action, entry.by, entry.reason) for entry in mark.history] == [
        (State.ERASING, ARN, REASON),
        (State.ERASED, ARN, REASON),
    ]
    assert mark.counts == {"recommendations": 3, "dead letters": 2, "reviews": 2, "archived lines": 3}
    assert set(mark.erased) == records
    text = json.dumps(mark_item(mark))
    assert INCIDENT not in text
    assert "roll back" not in text


def test_dead_letters_of_others_are_received_and_returned(account: Account, tmp_path: Path) -> None:
    """Each look at the queue is one receive, as with `recs dlq`, and none stays hidden."""
    account.run(tmp_path, *ERASE)
    (other,) = account.sqs.queues[DLQ]
    assert account.sqs.hidden(DLQ) == 0
    assert other.receives == 3  # to count, to delete, and once more after the wait


def test_it_waits_until_every_consumer_knows_and_sweeps_again(account: Account, tmp_path: Path) -> None:
    """A consumer that had read the marks just before may store until then."""
    late = item(agent_type="late-agent")

    def store_late() -> None:
        if len(account.clock.slept) == 60:
            account.tables.put([late])

    account.meanwhile = store_late
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0
    assert sum(account.clock.slept) == pytest.approx(SETTLED_SECONDS)
    assert of_incident(account) == []
    assert mark_of(account).counts["recommendations"] == 4


def test_no_wait_says_that_something_may_be_left(account: Account, tmp_path: Path) -> None:
    """The incident is not called erased, and the next run after the time finishes without waiting."""
    result = account.run(tmp_path, *ERASE, "--no-wait")
    assert result.exit_code == 4
    assert "what consumers may still store: run this again in 120 seconds" in result.stderr
    assert mark_of(account).state is State.ERASING
    assert account.clock.slept == []
    account.clock.sleep(SETTLED_SECONDS)
    assert account.run(tmp_path, *ERASE, "--no-wait").exit_code == 0
    assert mark_of(account).state is State.ERASED


def test_dry_run_shows_everything_and_changes_nothing(account: Account, tmp_path: Path) -> None:
    """It needs neither a reason nor who is calling."""
    before = _state(account)
    result = account.run(tmp_path, "erase", INCIDENT, "--archive-bucket", BUCKET, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:5] == [
        "Incident incident-7",
        "  recommendations  3 in table opx-agent-recommendations in us-east-1",
        "  dead letters     2 of 3 in recommendations-dlq",
        "  reviews          2 in table opx-recommendation-reviews in us-east-1",
        "  archived lines   3 in 2 files of bucket my-archive",
    ]
    assert _state(account) == before
    assert "get_caller_identity" not in account.calls


def test_what_cannot_be_reached_is_said_first(account: Account, tmp_path: Path) -> None:
    """Without a bucket, that is the archive too: its folders are named."""
    result = account.run(tmp_path, "erase", INCIDENT, "--dry-run")
    beyond = result.stdout.partition("This command does not reach:\n")[2]
    assert "messages still in recommendations (0 waiting and 0 in flight" in beyond
    assert "recs dlq save" in beyond
    assert "incidents/dt=DAY/ for 2026-01-31 and any earlier day" in beyond
    assert "point-in-time recovery until 2026-03-08" in beyond
    assert "logs and metrics" in beyond
    with_bucket = account.run(tmp_path, "erase", INCIDENT, "--archive-bucket", BUCKET, "--dry-run").stdout
    assert "dt=DAY" not in with_bucket


@pytest.mark.parametrize("confirm", [(), ("--confirm", OTHER), ("--confirm", ""), ("--confirm", "INCIDENT-7")])
def test_incidents_id_must_be_given_twice(account: Account, tmp_path: Path, confirm: tuple[str, ...]) -> None:
    """Without a terminal to type it on, it must be given as an option."""
    result = account.run(tmp_path, *ERASE[:-2], *confirm)
    assert result.exit_code == 2
    assert len(of_incident(account)) == 3
    assert mark_key(INCIDENT) not in account.tables.recommendations


@pytest.mark.parametrize("reason", [(), ("--reason", " "), ("--reason", "x" * 1001), ("--reason", "two\nlines")])
def test_reason_is_required(account: Account, tmp_path: Path, reason: tuple[str, ...]) -> None:
    """It is all that says later why the records are missing."""
    assert account.run(tmp_path, "erase", INCIDENT, "--confirm", INCIDENT, *reason).exit_code == 2
    assert account.calls == []


def test_held_incident_is_refused(account: Account, tmp_path: Path) -> None:
    """The message says who holds it, since when and why."""
    entry = Entry(State.HELD, "arn:aws:iam::1:user/carol", "2026-02-01T00:00:00.000000Z", "lawsuit")
    account.tables.put([mark_item(moved(None, INCIDENT, entry))])
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 2
    assert "incident-7 is held since 2026-02-01 00:00 UTC by user/carol: lawsuit" in result.stderr
    assert len(of_incident(account)) == 3


def test_incident_that_is_held_meanwhile_is_not_erased(account: Account, tmp_path: Path) -> None:
    """Of a hold and an erasure at the same time, the mark that is written first wins."""
    entry = Entry(State.HELD, "arn:aws:iam::1:user/carol", "2026-02-01T00:00:00.000000Z", "lawsuit")

    def identity() -> dict[str, str]:
        account.tables.put([mark_item(moved(None, INCIDENT, entry))])
        return {"Arn": ARN}

    account.sts.get_caller_identity = identity  # type: ignore[method-assign]  # called just before the mark is written
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert "changed this incident's mark in the meantime" in result.stderr
    assert len(of_incident(account)) == 3


def test_released_incident_can_be_erased(account: Account, tmp_path: Path) -> None:
    """Its mark then loses the incident's ID."""
    held = Entry(State.HELD, "arn:aws:iam::1:user/carol", "2026-01-30T00:00:00.000000Z", "lawsuit")
    released = held._replace(action=State.RELEASED, reason="settled")
    account.tables.put([mark_item(moved(moved(None, INCIDENT, held), INCIDENT, released))])
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert mark_of(account).incident_id is None
    assert [entry.action for entry in mark_of(account).history][-2:] == [State.ERASING, State.ERASED]


def test_unknown_incident_exits_with_1_and_leaves_no_mark(account: Account, tmp_path: Path) -> None:
    """An erasure of a mistyped ID must not look like a success."""
    result = account.run(tmp_path, "erase", "incident-77", "--reason", REASON, "--confirm", "incident-77")
    assert result.exit_code == 1
    assert mark_key("incident-77") not in account.tables.recommendations


def test_erased_incident_can_be_erased_again(account: Account, tmp_path: Path) -> None:
    """Somebody restored a saved file of dead letters; without one, there is nothing to do."""
    account.run(tmp_path, *ERASE)
    nothing = account.run(tmp_path, *ERASE)
    assert (nothing.exit_code, mark_of(account).state) == (0, State.ERASED)
    assert "Nothing is left to erase." in nothing.stdout
    assert f"  mark             erased 2026-02-01 12:02 UTC by {ARN.rpartition(':')[2]}: {REASON}" in nothing.stdout
    account.sqs.put(body(9))
    again = account.run(tmp_path, *ERASE)
    assert again.exit_code == 0
    assert "Erased 1 dead letter." in again.stdout
    assert mark_of(account).counts["dead letters"] == 3
    assert mark_of(account).state is State.ERASED


def test_letters_in_flight_are_left_and_exit_with_4(account: Account, tmp_path: Path) -> None:
    """Another reader hides one; run again when it is visible."""
    account.sqs.receive_message(QueueUrl=DLQ, MaxNumberOfMessages=1, VisibilityTimeout=600, WaitTimeSeconds=1)
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert "1 message in flight in recommendations-dlq, hidden by another reader" in result.stderr
    assert mark_of(account).state is State.ERASING
    account.clock.sleep(600)
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert mark_of(account).counts["dead letters"] == 2


def test_letters_that_sqs_does_not_delete_are_left(account: Account, tmp_path: Path) -> None:
    """A response with HTTP 200 may list failed entries."""
    account.sqs.undeletable.add("dead-1")
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert "1 dead letter whose deletion SQS did not confirm" in result.stderr
    assert mark_of(account).counts["dead letters"] == 1


def test_letters_that_are_no_envelope_but_mention_the_incident_are_named(account: Account, tmp_path: Path) -> None:
    """Whether they are of the incident is for a person to decide; what is not read cannot be called erased."""
    broken = account.sqs.put(body(4)[:-20], text_attributes(failureReason="InvalidJson"))
    account.sqs.put('{"incidentId": "incident-77", "broken', text_attributes(failureReason="InvalidJson"))
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert f"1 dead letter mentioning the incident in a body that is not an envelope ({broken})" in result.stderr
    assert len(account.sqs.queues[DLQ]) == 3


@pytest.mark.parametrize("incident_id", [INCIDENT, 'incident-"é"-🔥'])
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text[:-20],
        lambda text: json.dumps(json.loads(text))[:-20],
        lambda text: json.dumps({"Type": "Notification", "Message": text}),
        lambda text: json.dumps({"Message": json.dumps(json.loads(text))}, ensure_ascii=False)[:-2],
        lambda text: str(json.loads(text)),
        lambda text: text.partition('", "reasoning')[0],
    ],
    ids=["cut off", "escaped as ASCII", "wrapped", "escaped twice", "not JSON but Python", "cut off after the ID"],
)
def test_letters_that_mention_the_incident_in_any_spelling_are_named(
    tmp_path: Path, spell: Callable[[str], str], incident_id: str
) -> None:
    """Other programs escape what our producer does not, and other services wrap it."""
    account = Account()
    text = json.dumps({"incidentId": incident_id, "reasoning": "roll back", "citations": []}, ensure_ascii=False)
    account.sqs.put(spell(text), text_attributes(failureReason="InvalidJson"))
    account.sqs.put(spell(text.replace("incident-", "other-incident-")), text_attributes(failureReason="InvalidJson"))
    result = account.run(tmp_path, "erase", incident_id, "--reason", REASON, "--confirm", incident_id)
    assert result.exit_code == 4, result.output
    assert "0 of 2 in recommendations-dlq; 1 more that mentions it, but not as an envelope" in result.stdout
    assert "1 dead letter mentioning the incident" in result.stderr


def test_erased_incident_is_not_called_gone_while_a_letter_mentions_it(account: Account, tmp_path: Path) -> None:
    """A malformed message that arrived late is in no item, and nobody has looked at it."""
    assert account.run(tmp_path, *ERASE).exit_code == 0
    broken = account.sqs.put(body(4)[:-20], text_attributes(failureReason="InvalidJson"))
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert broken in result.stderr
    account.sqs.queues[DLQ][:] = [letter for letter in account.sqs.queues[DLQ] if letter.message_id != broken]
    account.clock.sleep(SETTLED_SECONDS)
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert mark_of(account).state is State.ERASED


def test_table_without_reviews_is_no_error(account: Account, tmp_path: Path) -> None:
    """A stack of an earlier version has none."""
    account.tables.reviews = None
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0
    assert "reviews          0 there is no table opx-recommendation-reviews" in result.stdout


def test_item_without_room_for_the_announcement_is_deleted_too(tmp_path: Path) -> None:
    """The keeper then makes a dead letter of it, which a later sweep deletes."""
    account = Account()
    empty = item(reasoning="", recommendation={"n": 1})
    full = item(reasoning="x" * (limits.ITEM_BYTES - item_size(empty)), recommendation={"n": 1})
    assert item_size(full) == limits.ITEM_BYTES
    account.tables.put([full])

    def keep() -> None:
        if len(account.clock.slept) == 1:
            account.sqs.put(message_body(full).decode(), text_attributes(failureReason="Deleted"))

    account.meanwhile = keep
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0, result.output
    assert "Erased 1 recommendation, 1 dead letter." in result.stdout
    assert of_incident(account) == []
    assert account.sqs.bodies(DLQ) == []


def test_refused_call_ends_the_run_and_the_same_command_goes_on(account: Account, tmp_path: Path) -> None:
    """The message names the role, and what was deleted before is said."""
    account.tables.denies_deletion = True
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 3
    assert "use an identity that may assume RecommendationEraserRole" in result.stderr
    assert "This run did not finish. The same command goes on." in result.stderr
    account.tables.denies_deletion = False
    assert account.run(tmp_path, *ERASE).exit_code == 0


def test_what_arrives_without_end_is_left(account: Account, tmp_path: Path) -> None:
    """The command ends all the same."""
    numbers = iter(range(1000))
    receive = account.sqs.receive_message

    def another(**parameters: Any) -> Any:
        messages = receive(**parameters)
        if not messages:  # a look has ended; before the next one there is another letter
            account.sqs.put(body(next(numbers), execution_id="endless"))
        return messages

    account.sqs.receive_message = another  # type: ignore[method-assign]  # a queue that somebody keeps filling
    account.sqs.queues[DLQ].clear()
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert "whatever still arrives: 10 sweeps in a row found more" in result.stderr
