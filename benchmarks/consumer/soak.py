"""Invoke the consumer thousands of times in one process: `python -m benchmarks.consumer.soak --help`."""

import argparse
import asyncio
import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.support import stub_process
from benchmarks.support.lambda_runtime import REGION, LambdaContext
from benchmarks.support.memory import MEBIBYTE, after_warm_up, growth, resident_bytes
from recommendation_shared.envelope.writing import write_envelope

SAMPLES: Final = 20
ALLOWED_GROWTH: Final = 2 * MEBIBYTE  # after the warm-up
_RECORDS: Final = 5  # per invocation
_REMAINING_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The resources that the process holds between two invocations."""

    invocations: int
    resident: int  # bytes
    files: int  # open file descriptors
    threads: int
    tasks: int  # pending on the event loop
    log_keys: int  # that every log line carries
    loop: int  # the event loop's identity
    objects: int  # tracked by the garbage collector


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a soak. `outcomes` counts invocations by how they ended."""

    outcomes: Counter[str]
    seconds: float
    samples: Sequence[Sample]

    @property
    def warm(self) -> Sequence[Sample]:
        """The samples after the warm-up."""
        return after_warm_up(self.samples, lambda sample: sample.invocations, self.samples[-1].invocations)

    @property
    def growth(self) -> int:
        """Bytes between the first and the largest size after the warm-up."""
        return growth([sample.resident for sample in self.warm])

    @property
    def leaks(self) -> list[str]:
        """The names of the resources that grew."""
        first, names = self.warm[0], []
        if self.growth > ALLOWED_GROWTH:
            names.append("memory")
        if any(sample.files > first.files + 1 for sample in self.warm):  # one more while a connection is replaced
            names.append("file descriptors")
        constant = ("threads", "tasks", "log_keys", "loop")
        return names + [name for name in constant if len({getattr(sample, name) for sample in self.warm}) > 1]


def _event(number: int) -> dict[str, Any]:
    """Return an event about a new incident.

    Every tenth event also holds poison, a duplicate and an empty body; every seventh is a second delivery.
    """
    now = datetime.now(UTC)
    bodies = [
        write_envelope(
            incident_id=f"incident-{number}",
            execution_id=f"execution-{number}",
            agent_type=f"agent-{index}",
            timestamp=now,
            recommendation={"action": "roll back", "steps": ["one", "two"], "risk": 0.2},
        ).body.decode()
        for index in range(_RECORDS)
    ]
    if number % 10 == 0:
        bodies += [f"poison {number}", bodies[0], ""]
    system = {"SentTimestamp": "1769860800000", "ApproximateReceiveCount": "1" if number % 7 else "2"}
    records = [
        {"messageId": f"{number}-{index}", "body": body, "attributes": system} for index, body in enumerate(bodies)
    ]
    return {"Records": records}


def soak(invocations: int) -> Result:
    """Invoke the handler `invocations` times; the environment must name the endpoint."""
    from recommendation_consumer.handler import handler, sandbox  # noqa: PLC0415 - reads the environment
    from recommendation_consumer.invocation import NothingStoredError  # noqa: PLC0415 - reads the environment

    def sample(count: int) -> Sample:
        runner, _, dependencies = sandbox()
        loop = runner.get_loop()
        gc.collect()
        return Sample(
            count,
            resident_bytes(),
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            len(asyncio.all_tasks(loop)),
            len(dependencies.logger.get_current_keys()),
            id(loop),
            len(gc.get_objects()),
        )

    outcomes: Counter[str] = Counter()
    samples: list[Sample] = []
    interval = max(1, invocations // SAMPLES)
    context = LambdaContext(_REMAINING_MS, "soak")
    began = time.monotonic()
    with Path(os.devnull).open("w") as discarded, redirect_stdout(discarded):
        for number in range(invocations):
            try:
                response = handler(_event(number), context)
            except NothingStoredError:
                outcomes["raised"] += 1
            else:
                outcomes["some failed" if response["batchItemFailures"] else "none failed"] += 1
            if number % interval == 0:
                samples.append(sample(number))
        samples.append(sample(invocations))
        runner, clients, _ = sandbox()
        runner.run(clients.close())
        runner.close()
    return Result(outcomes, time.monotonic() - began, samples)


def report(result: Result) -> str:
    """Return the result as a table."""
    first, last = result.warm[0], result.samples[-1]
    rows = {
        "invocations": f"{last.invocations:,} in {result.seconds:.1f} s",
        "outcomes": ", ".join(f"{name} {count:,}" for name, count in sorted(result.outcomes.items())),
        "RSS after warm-up": f"{first.resident / MEBIBYTE:.1f} MiB",
        "RSS at the end": f"{last.resident / MEBIBYTE:.1f} MiB",
        "growth after warm-up": f"{result.growth / MEBIBYTE:.2f} MiB (allowed: {ALLOWED_GROWTH / MEBIBYTE:.0f})",
        "objects": f"{first.objects:,} → {last.objects:,}",
        "file descriptors": f"{first.files} → {last.files}",
        "threads": f"{first.threads} → {last.threads}",
        "pending tasks": f"{first.tasks} → {last.tasks}",
        "log keys": f"{first.log_keys} → {last.log_keys}",
        "leaks": ", ".join(result.leaks) or "none",
    }
    return "\n".join(f"{name:<22} {value}" for name, value in rows.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.consumer.soak",
        description="Invoke the consumer in one process, with a table that fails at intervals; fail if anything leaks.",
    )
    parser.add_argument("--invocations", type=int, default=10_000, metavar="N", help="default: 10,000")
    options = parser.parse_args(arguments)
    with stub_process.running("benchmarks.consumer.faulty_aws_stub") as url:
        os.environ |= {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "soak",
            "AWS_SECRET_ACCESS_KEY": "soak",
            "RECOMMENDATIONS_DLQ_URL": f"{url}/123456789012/dead-letters",
        }
        result = soak(options.invocations)
    print(report(result))
    return 1 if result.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
