"""`python -m examples.alarms`: show what makes each of the template's alarms fire, and what just does not.

First, every alarm is evaluated for its smallest cause and its nearest miss. Then failures are caused on the local
stack, where the functions, their metrics, the queues and the definitions of the alarms are real. CloudWatch is not: the
alarms are evaluated here, from what the functions logged, and end as they would if nothing else happened. A failing
message becomes a dead letter after about a minute, instead of 12 hours, because the local stack allows it 5 receives.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from examples.alarms.cases import CASES, wrong_cases, wrong_composites, wrong_pages
from examples.alarms.definition import MINUTE, Alarm, read_alarms, read_composites
from examples.alarms.evaluation import Point, minutes_firing, with_composites
from examples.alarms.observed import depth_points, logged_points
from examples.alarms.refusing_table import ENDPOINT, RefusingTable, publish_consumer, refusing_table
from infra.local import LocalStack, StackError, local_stack
from infra.local.deployment import load_template
from infra.local.depth import depth
from infra.paths import TEMPLATE
from recommendation_shared.envelope import Envelope

# Seconds for the queue to become empty. It takes a few, or a minute if each of 5 receives waits for a table that cannot
# be reached; on a busy machine, several times as long.
WAIT: Final = 300.0
LOG_DELAY: Final = 1.0  # seconds; the emulator logs an invocation only after it has deleted its messages
QUIET: Final = 30 * MINUTE  # seconds after the last event for which alarms are evaluated

Scenario = Callable[[LocalStack, RefusingTable], None]


def _bodies(name: str, count: int) -> list[str]:
    started = datetime.now(UTC)
    return [
        Envelope.create(
            incident_id=f"incident-{name}",
            execution_id=name,
            agent_type="consensus",
            timestamp=started - timedelta(seconds=number),
            recommendation={"action": "roll back"},
        )
        .to_json()
        .decode()
        for number in range(count)
    ]


def _send(stack: LocalStack, bodies: list[str]) -> None:
    for start in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])]
        stack.client("sqs").send_message_batch(QueueUrl=stack.queue_url, Entries=entries)


def nothing_wrong(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, all of them stored."""
    _send(stack, _bodies("well", 20))


def ten_refused_requests(stack: LocalStack, table: RefusingTable) -> None:
    """Twenty recommendations; the table refuses ten requests and then accepts all."""
    table.left = 10
    _send(stack, _bodies("ten", 20))


def some_refused_requests(stack: LocalStack, table: RefusingTable) -> None:
    """Twenty recommendations; the table refuses eleven requests and then accepts all."""
    table.left = 11  # the alarm fires above ten
    _send(stack, _bodies("refused", 20))


def poison_among_good_ones(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, two of them not envelopes."""
    _send(stack, [*_bodies("poison", 18), "roll back", json.dumps({"schemaVersion": 1})])


def changed_by_hand(stack: LocalStack, _: RefusingTable) -> None:
    """Two stored recommendations, of which somebody edits one and deletes the other."""
    _send(stack, _bodies("edited", 2))
    table, dynamodb = stack.table_name, stack.client("dynamodb")
    deadline = time.monotonic() + WAIT
    found: list[dict[str, Any]] = []
    while len(found) < 2 and time.monotonic() < deadline:  # noqa: PLR2004 - both of those sent
        time.sleep(0.2)
        found = [
            item
            for item in dynamodb.scan(TableName=table)["Items"]
            if item.get("incidentId") == {"S": "incident-edited"}
        ]
    edited, deleted = found
    dynamodb.put_item(TableName=table, Item={**edited, "reasoning": {"S": "as we would like it"}})
    dynamodb.delete_item(TableName=table, Key={"recommendationId": deleted["recommendationId"]})
    sqs = stack.client("sqs")
    while depth(sqs, stack.dlq_url) < 2 and time.monotonic() < deadline:  # noqa: PLR2004 - both dead letters
        time.sleep(0.2)


def mapping_disabled(stack: LocalStack, _: RefusingTable) -> None:
    """Seven recommendations while somebody has disabled the event source mapping."""
    stack.client("lambda").update_event_source_mapping(UUID=stack.mapping_id, Enabled=False)
    time.sleep(LOG_DELAY)  # a poll in progress ends
    _send(stack, _bodies("waiting", 7))


def table_unreachable(stack: LocalStack, _: RefusingTable) -> None:
    """Seven recommendations while the table cannot be reached."""
    stack.client("sqs").purge_queue(QueueUrl=stack.queue_url)
    stack.client("lambda").update_event_source_mapping(UUID=stack.mapping_id, Enabled=True)
    publish_consumer(stack, **{ENDPOINT: "http://127.0.0.1:1"})
    _send(stack, _bodies("away", 7))


SCENARIOS: Final[tuple[Scenario, ...]] = (
    nothing_wrong,
    ten_refused_requests,
    some_refused_requests,
    poison_among_good_ones,
    changed_by_hand,
    mapping_disabled,
    table_unreachable,  # last: an invocation that still tries may outlive its messages, which become dead letters
)


def fired(alarms: list[Alarm], points: list[Point]) -> dict[str, list[int]]:
    """Return the minutes (epoch seconds) in which each alarm fires, for the alarms that fire at all.

    After the last point, the queues keep their depths.
    """
    last = max(point.moment for point in points)
    until = last + QUIET
    depths = {point.metric: point for point in points if point.metric[0] == "AWS/SQS"}.values()
    later = [depth._replace(moment=last + n * MINUTE) for depth in depths for n in range(1, QUIET // MINUTE + 1)]
    firing = {alarm.name: minutes_firing(alarm, points + later, until) for alarm in alarms}
    return {name: minutes for name, minutes in firing.items() if minutes}


def play(stack: LocalStack, table: RefusingTable, scenario: Scenario) -> list[Point]:
    """Play a scenario until the queue is empty; return the points that CloudWatch would have received.

    Raises `StackError` if it does not become empty, since what fails later would count towards the next scenario.
    """
    stack.client("sqs").purge_queue(QueueUrl=stack.dlq_url)
    with stack.log_path.open(encoding="utf-8", errors="replace") as log:
        log.seek(0, 2)
        depths = list[Point]()
        scenario(stack, table)
        deadline = time.monotonic() + (LOG_DELAY if scenario is mapping_disabled else WAIT)
        while time.monotonic() < deadline:
            stack.check()
            time.sleep(0.5)
            depths += depth_points(stack, time.time())
            if depth(stack.client("sqs"), stack.queue_url) == 0:
                break
        else:
            if scenario is not mapping_disabled:
                raise StackError(f"The queue is not empty after {WAIT:.0f} s: {scenario.__doc__}")
        time.sleep(LOG_DELAY)
        depths += depth_points(stack, time.time())  # the depths read in the loop may predate the last delete
        return [*depths, *logged_points(log)]


def main() -> int:
    """Check every case, play every scenario and print its alarms; return 1 if an alarm is wrong or nothing starts."""
    template = load_template(TEMPLATE, {})
    alarms = read_alarms(template)
    for case in CASES:
        print(f"  {case.alarm:<42} fires after {case.fires}, not after {case.misses}")
    composites = read_composites(template)
    problems = [*wrong_cases(alarms), *wrong_pages(alarms), *wrong_composites(alarms, composites)]
    paging = {alarm.name for alarm in alarms if alarm.pages}
    print(f"\nThe pager is notified by {', '.join(sorted(paging))}; the others are for a ticket.")
    for composite in composites:
        print(f"With PagerComposite, {composite.name} notifies it instead, while one of them fires, and for no other.")
    if problems:
        sys.stderr.write("".join(f"error: {problem}\n" for problem in problems))
        return 1
    try:
        with local_stack(port=0) as stack, refusing_table(stack.endpoint_url) as table:
            publish_consumer(stack, **{ENDPOINT: table.url})
            for scenario in SCENARIOS:
                print(f"\n{scenario.__doc__}", flush=True)
                points = play(stack, table, scenario)
                _print(with_composites(fired(alarms, points), composites), points, paging)
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _print(firing: dict[str, list[int]], points: list[Point], paging: set[str]) -> None:
    began = min(point.moment for point in points)
    for name, minutes in firing.items():
        delay, duration = minutes[0] - began, minutes[-1] + MINUTE - minutes[0]
        end = f"for {duration // MINUTE} min" if duration < QUIET / 2 else "until somebody acts"
        pages = ", and pages somebody" if name in paging else ""
        print(f"  {name:<42} fires after {delay:3.0f} s, at the end of the minute, {end}{pages}")
    if not firing:
        print("  no alarm")


if __name__ == "__main__":
    sys.exit(main())
