"""Hold the simulation to the real pipeline at a low rate: `python -m benchmarks.scaling.check`.

The local stack runs production's template and zip; it differs from AWS in that it ignores the batching window, and
polls in turns of up to a second. So the simulation gets no window and two batches, as the stack has, and the bounds
below allow for the turns: nothing lost, batches within a factor, lag within seconds.
"""

import json
import sys
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from benchmarks.scaling.__main__ import settings
from benchmarks.scaling.limits import Setting
from benchmarks.scaling.simulation import Result, simulate
from benchmarks.usage.payload import recommendations
from infra.local import LocalStack, local_stack
from infra.local.stack import PARAMETERS
from recommendation_shared import metrics
from recommendation_shared.envelope.model import write_envelope

RATE: Final = 5  # a second
SECONDS: Final = 20
TURN: Final = 1.5  # seconds of lag that the emulator's polling and a shared CPU may add
FACTOR: Final = 3  # at most between the numbers of batches: a turn gathers what arrived meanwhile
_SETTLE: Final = 30.0  # seconds, at most, until all is stored


def simulated() -> Result:
    """Return what the simulation says of the stack."""
    as_deployed = settings()["new table"]
    setting = Setting(
        envelope_bytes=as_deployed.envelope_bytes,
        table_units=as_deployed.table_units,
        index_units=as_deployed.index_units,
        record_seconds=as_deployed.record_seconds,
        maximum_concurrency=int(PARAMETERS["MaximumConcurrency"]),
        window=0.0,
    )
    return simulate(RATE, SECONDS, setting)


def measured(stack: LocalStack) -> tuple[int, list[float]]:
    """Send one message after another; return how many batches stored them and each one's lag in seconds."""
    fields, sqs = recommendations(5 * 1024)[0], stack.client("sqs")
    while not (before := len(_lines(stack))):  # the stack's own canary, which is logged just after it is stored
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
        found = [line[metrics.QUEUE_LAG] for line in _lines(stack)[before:]]
        lags = [lag / 1000 for line in found for lag in (line if isinstance(line, list) else [line])]
        if len(lags) >= RATE * SECONDS or time.monotonic() > deadline:
            return len(found), lags
        time.sleep(0.2)


def _lines(stack: LocalStack) -> list[dict[str, Any]]:
    """Return the EMF lines of the log that have lags: one for each invocation that stored up to a hundred."""
    found = []
    for line in stack.log_path.read_text(errors="replace").splitlines():
        start = line.find("{")
        if start >= 0 and f'"{metrics.QUEUE_LAG}":' in line:
            found.append(json.loads(line[start:]))
    return found


def problems(expected: Result, batches: int, lags: list[float]) -> list[str]:
    """Return what lies out of bounds."""
    found = []
    if len(lags) != RATE * SECONDS:
        found.append(f"{len(lags)} of {RATE * SECONDS} messages were stored")
    elif abs(median(lags) - expected.lag(50)) > TURN:
        found.append(f"the median lag is {median(lags):.2f} s, simulated {expected.lag(50):.2f} s")
    if not expected.invocations / FACTOR <= batches <= expected.invocations * FACTOR:
        found.append(f"{batches} batches, simulated {expected.invocations}")
    return found


def main() -> int:
    """Compare; return the process's exit code."""
    expected = simulated()
    with local_stack(port=0) as stack:
        batches, lags = measured(stack)
    print(f"{RATE} a second for {SECONDS} s      simulated   local stack")
    print(f"messages stored            {expected.stored:9.0f}   {len(lags):11d}")
    print(f"batches                    {expected.invocations:9d}   {batches:11d}")
    print(f"median lag, s              {expected.lag(50):9.2f}   {median(lags) if lags else 0:11.2f}")
    found = problems(expected, batches, lags)
    for problem in found:
        print(f"out of bounds: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
