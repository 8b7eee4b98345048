"""`python -m examples.alarms`: cause failures on the local stack and show which of the template's alarms fire.

The consumer, its metrics, the queues and the definitions of the alarms are real. CloudWatch is not: the alarms are
evaluated here, from what the consumer logged, and end as they would if nothing else happened. A failing message becomes
a dead letter after 25 seconds, instead of 16 minutes, because the local visibility timeout is 5 seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from examples.alarms.definition import MINUTE, Alarm, read_alarms
from examples.alarms.evaluation import Point, minutes_firing
from examples.alarms.observed import depth_points, logged_points
from examples.alarms.refusing_table import ENDPOINT, RefusingTable, publish_consumer, refusing_table
from infra.local import LocalStack, StackError, local_stack
from infra.local.deployment import load_template
from infra.local.depth import depth
from infra.paths import TEMPLATE
from recommendation_shared.envelope import Envelope

WAIT: Final = 60.0  # seconds for the queue to become empty; it takes a few
LOG_DELAY: Final = 1.0  # seconds; the emulator logs an invocation only after it has deleted its messages
QUIET: Final = 30 * MINUTE  # seconds after the last event for which alarms are evaluated
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


def nothing_wrong(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, all of them stored."""
    _send(stack, _bodies("well", 20))


def some_refused_requests(stack: LocalStack, table: RefusingTable) -> None:
    """Twenty recommendations; the table refuses eleven requests and then accepts all."""
    table.left = 11  # the alarm fires above ten
    _send(stack, _bodies("refused", 20))


def poison_among_good_ones(stack: LocalStack, _: RefusingTable) -> None:
    """Twenty recommendations, two of them not envelopes."""
    _send(stack, [*_bodies("poison", 18), "roll back", json.dumps({"schemaVersion": 1})])


def table_unreachable(stack: LocalStack, _: RefusingTable) -> None:
    """Seven recommendations while the table cannot be reached."""
    publish_consumer(stack, **{ENDPOINT: "http://127.0.0.1:1"})
    _send(stack, _bodies("away", 7))


SCENARIOS: Final[tuple[Scenario, ...]] = (
    nothing_wrong,
    some_refused_requests,
    poison_among_good_ones,
    table_unreachable,
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
    """Play a scenario until the queue is empty; return the points that CloudWatch would have received."""
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
            if depth(stack.client("sqs"), stack.queue_url) == 0:
                break
        time.sleep(LOG_DELAY)
        return [*depths, *logged_points(log)]


def main() -> int:
    """Play every scenario and print its alarms; return 1 if the stack does not start."""
    alarms = read_alarms(load_template(TEMPLATE, {}))
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
    unobserved = [alarm.name for alarm in alarms if any(metric.name in NO_DATA for metric in alarm.metrics.values())]
    print(f"\nNot evaluated, because nothing local provides their metrics: {', '.join(unobserved)}.")
    return 0


def _print(firing: dict[str, list[int]], points: list[Point]) -> None:
    began = min(point.moment for point in points)
    for name, minutes in firing.items():
        delay, duration = minutes[0] - began, minutes[-1] + MINUTE - minutes[0]
        end = f"for {duration // MINUTE} min" if duration < QUIET else "until somebody acts"
        print(f"  {name:<42} fires after {delay:2.0f} s, at the end of the minute, {end}")
    if not firing:
        print("  no alarm")


if __name__ == "__main__":
    sys.exit(main())
