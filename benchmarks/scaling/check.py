"""Check the simulation against the real pipeline at a low rate: `python -m benchmarks.scaling.check`.

The local stack runs production's template and zip. Unlike AWS, it ignores the batching window and polls at intervals of
up to a second. The simulation therefore runs without a window and with two concurrent batches, as the stack does, and
the tolerances below allow for the polling: nothing lost, batches within a factor, lag within seconds.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from benchmarks.scaling.deployments import SIZE, deployments
from benchmarks.scaling.simulation import Result, simulate
from benchmarks.usage.sized_recommendations import recommendations
from infra.local import LocalStack, local_stack
from infra.local.stack import PARAMETERS
from recommendation_shared import metrics
from recommendation_shared.envelope.writing import write_envelope

RATE: Final = 5  # messages a second
SECONDS: Final = 20
LAG_TOLERANCE: Final = 1.5  # seconds that the emulator's polling and a shared CPU may add
BATCH_FACTOR: Final = 3  # between the numbers of batches: a poll takes what arrived since the last one
_SETTLE: Final = 30.0  # seconds; at most, until everything is stored


def simulated() -> Result:
    """Simulate the local stack."""
    concurrency = int(PARAMETERS["MaximumConcurrency"])
    return simulate(RATE, SECONDS, replace(deployments()["new table"], maximum_concurrency=concurrency, window=0.0))


def measured(stack: LocalStack) -> tuple[int, list[float]]:
    """Send messages at the rate; return how many batches stored them, and the lag of each message in seconds."""
    fields, sqs = recommendations(SIZE)[0], stack.client("sqs")
    while not (before := len(_lag_lines(stack))):  # the stack's own canary is logged just after it is stored
        time.sleep(0.1)
    start = time.monotonic()
    for number in range(RATE * SECONDS):
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
        envelope = write_envelope(
            **{"retention": 90, **fields, "incident_id": f"check-{number}", "timestamp": datetime.now(UTC)}
        )
        sqs.send_message(QueueUrl=stack.queue_url, MessageBody=envelope.body.decode())
    deadline = time.monotonic() + _SETTLE
    while True:
        batches = [line[metrics.QUEUE_LAG] for line in _lag_lines(stack)[before:]]
        lags = [lag / 1000 for batch in batches for lag in (batch if isinstance(batch, list) else [batch])]
        if len(lags) >= RATE * SECONDS or time.monotonic() > deadline:
            return len(batches), lags
        time.sleep(0.2)


def _lag_lines(stack: LocalStack) -> list[dict[str, Any]]:
    """Return the log's EMF lines with lags: one for each invocation that stored up to a hundred records."""
    lines = []
    for line in stack.log_path.read_text(errors="replace").splitlines():
        start = line.find("{")
        if start >= 0 and f'"{metrics.QUEUE_LAG}":' in line:
            lines.append(json.loads(line[start:]))
    return lines


def problems(expected: Result, batches: int, lags: list[float]) -> list[str]:
    """Return the measurements that are out of tolerance."""
    problems = []
    if len(lags) != RATE * SECONDS:
        problems.append(f"{len(lags)} of {RATE * SECONDS} messages were stored")
    elif abs(median(lags) - expected.lag(50)) > LAG_TOLERANCE:
        problems.append(f"the median lag is {median(lags):.2f} s; the simulation gives {expected.lag(50):.2f} s")
    if not expected.invocations / BATCH_FACTOR <= batches <= expected.invocations * BATCH_FACTOR:
        problems.append(f"there were {batches} batches; the simulation gives {expected.invocations}")
    return problems


def main() -> int:
    """Compare the simulation with the local stack; return the exit code."""
    expected = simulated()
    with local_stack(port=0) as stack:
        batches, lags = measured(stack)
    print(f"{RATE} a second for {SECONDS} s      simulated   local stack")
    print(f"messages stored            {expected.stored:9.0f}   {len(lags):11d}")
    print(f"batches                    {expected.invocations:9d}   {batches:11d}")
    print(f"median lag, s              {expected.lag(50):9.2f}   {median(lags) if lags else 0:11.2f}")
    out_of_tolerance = problems(expected, batches, lags)
    for problem in out_of_tolerance:
        print(f"out of tolerance: {problem}", file=sys.stderr)
    return 1 if out_of_tolerance else 0


if __name__ == "__main__":
    sys.exit(main())
