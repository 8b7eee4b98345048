"""`python -m examples.alarms`: let things go wrong on the local stack, and see which alarm of the template fires.

The consumer, its metrics, the queues and the alarms' definitions are real; CloudWatch is not: the alarms are evaluated
here, over what the consumer logged. When they end is computed as if nothing more happened. A message that fails is a
dead letter after 25 seconds here and 16 minutes in production, because the local visibility timeout is 5 seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from examples.alarms.definition import MINUTE, Alarm, read_alarms
from examples.alarms.evaluation import Point, minutes_up
from examples.alarms.observed import depth_points, logged_points
from examples.alarms.refusing_table import ENDPOINT, RefusingTable, publish_consumer, refusing_table
from infra.local import LocalStack, StackError, local_stack
from infra.local.deployment import load_template
from infra.paths import ROOT
from recommendation_shared.envelope import Envelope

WAIT: Final = 60.0  # seconds for the queue to be empty again; it takes a few
LOGGED: Final = 1.0  # seconds; the emulator logs an invocation only after it has deleted its messages
QUIET: Final = 30 * MINUTE  # seconds after the last event for which alarms are looked at
NO_DATA: Final = {"ApproximateAgeOfOldestMessage", "RecommendationsDropped"}

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


def all_is_well(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, all stored."""
    _send(stack, _bodies("well", 20))


def some_refused_requests(stack: LocalStack, table: RefusingTable) -> None:
    """Twenty recommendations; the table refuses eleven requests, and then takes all."""
    table.left = 11  # of one write or more each, and the alarm is about more than ten
    _send(stack, _bodies("refused", 20))


def poison_among_good_ones(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, two of them not envelopes."""
    _send(stack, [*_bodies("poison", 18), "roll back", json.dumps({"schemaVersion": 1})])


def table_is_away(stack: LocalStack, _: RefusingTable) -> None:
    """Seven recommendations while nothing listens where the table should be."""
    publish_consumer(stack, **{ENDPOINT: "http://127.0.0.1:1"})
    _send(stack, _bodies("away", 7))


SCENARIOS: Final[tuple[Scenario, ...]] = (all_is_well, some_refused_requests, poison_among_good_ones, table_is_away)


def fired(alarms: list[Alarm], points: list[Point]) -> dict[str, list[int]]:
    """Return by alarm at which minutes it is up (epoch seconds), for those that are up at all.

    The queues keep their depths after the last point.
    """
    last = max(point.moment for point in points)
    until = last + QUIET
    depths = {point.metric: point for point in points if point.metric[0] == "AWS/SQS"}.values()
    kept = [depth._replace(moment=last + n * MINUTE) for depth in depths for n in range(1, QUIET // MINUTE + 1)]
    points = points + kept
    ups = {alarm.name: minutes_up(alarm, points, until) for alarm in alarms}
    return {name: minutes for name, minutes in ups.items() if minutes}


def play(stack: LocalStack, table: RefusingTable, scenario: Scenario) -> list[Point]:
    """Let it happen until the queue is empty, and return what CloudWatch would have got meanwhile."""
    stack.client("sqs").purge_queue(QueueUrl=stack.dlq_url)
    with stack.log_path.open(encoding="utf-8", errors="replace") as log:
        log.seek(0, 2)
        depths = list[Point]()
        scenario(stack, table)
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            stack.check()
            time.sleep(0.5)
            depths += depth_points(stack, time.time())
            if _is_quiet(stack):
                break
        time.sleep(LOGGED)
        return [*depths, *logged_points(log)]


def _is_quiet(stack: LocalStack) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)
    return not any(map(int, answer["Attributes"].values()))


def main() -> int:
    """Play every scenario and print its alarms; 1 when the stack does not start."""
    alarms = read_alarms(load_template(ROOT / "infra" / "template.yaml", {}))
    try:
        with local_stack(port=0) as stack, refusing_table(stack.endpoint_url) as table:
            publish_consumer(stack, **{ENDPOINT: table.url})
            for scenario in SCENARIOS:
                print(f"\n{scenario.__doc__}", flush=True)
                points = play(stack, table, scenario)
                _print(fired(alarms, points), points)
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    blind = [alarm.name for alarm in alarms if any(metric.name in NO_DATA for metric in alarm.metrics.values())]
    print(f"\nNot to be seen here, because nothing local gives their metric: {', '.join(blind)}.")
    return 0


def _print(ups: dict[str, list[int]], points: list[Point]) -> None:
    began = min(point.moment for point in points)
    for name, minutes in ups.items():
        begins, lasts = minutes[0] - began, minutes[-1] + MINUTE - minutes[0]
        over = f"over {lasts // MINUTE} min later" if lasts < QUIET else "stays up"
        print(f"  {name:<42} up at the end of the minute, {begins:2.0f} s later; {over}")
    if not ups:
        print("  no alarm")


if __name__ == "__main__":
    sys.exit(main())
