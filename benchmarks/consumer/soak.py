"""Thousands of invocations of the consumer in one process: `python -m benchmarks.consumer.soak --help`."""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.producer.soak import resident_bytes
from recommendation_shared.envelope.model import write_envelope

SAMPLES: Final = 20
WARM_UP: Final = 0.2  # of the run: the allocator settles
ALLOWED_GROWTH: Final = 2 * 1024 * 1024  # bytes after the warm-up
_RECORDS: Final = 5  # of an invocation
_REMAINING: Final = 30_000  # milliseconds of an invocation
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds between two invocations."""

    invocations: int
    resident: int  # bytes
    files: int  # open file descriptors
    threads: int
    tasks: int  # pending on the event loop
    log_keys: int  # of every log line
    loop: int  # its identity
    objects: int  # known to the garbage collector


@dataclass(frozen=True, slots=True)
class Result:
    """What a soak showed."""

    outcomes: Counter[str]
    seconds: float
    samples: Sequence[Sample]

    @property
    def warm(self) -> Sequence[Sample]:
        """The samples after the warm-up."""
        return [one for one in self.samples if one.invocations >= WARM_UP * self.samples[-1].invocations]

    @property
    def growth(self) -> int:
        """Bytes between the first and the largest size after the warm-up."""
        return max(one.resident for one in self.warm) - self.warm[0].resident

    @property
    def leaks(self) -> list[str]:
        """Name what grew."""
        first, found = self.warm[0], []
        if self.growth > ALLOWED_GROWTH:
            found.append("memory")
        if any(one.files > first.files + 1 for one in self.warm):  # one more while a connection is replaced
            found.append("file descriptors")
        constant = ("threads", "tasks", "log_keys", "loop")
        return found + [name for name in constant if len({getattr(one, name) for one in self.warm}) > 1]


class _Context:
    aws_request_id = "soak"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left, always all of them."""
        return _REMAINING


@contextmanager
def _running_stub() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.consumer.soak_stub"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def _event(number: int) -> dict[str, Any]:
    """Make an event of another incident than any before.

    Every tenth holds poison, a duplicate and an empty body; every seventh is delivered for the second time.
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
    """Invoke the handler that often; the environment must name the endpoint."""
    from recommendation_consumer.handler import handler, sandbox  # noqa: PLC0415 - reads the environment
    from recommendation_consumer.invocation import NothingStoredError  # noqa: PLC0415 - as above

    def sample(count: int) -> Sample:
        runner, _, surroundings = sandbox()
        loop = runner.get_loop()
        gc.collect()
        return Sample(
            count,
            resident_bytes(),
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            len(asyncio.all_tasks(loop)),
            len(surroundings.logger.get_current_keys()),
            id(loop),
            len(gc.get_objects()),
        )

    outcomes: Counter[str] = Counter()
    samples: list[Sample] = []
    every = max(1, invocations // SAMPLES)
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for number in range(invocations):
            try:
                response = handler(_event(number), _Context())
            except NothingStoredError:
                outcomes["raised"] += 1
            else:
                outcomes["named some" if response["batchItemFailures"] else "named none"] += 1
            if number % every == 0:
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
        "RSS after warm-up": f"{first.resident / _MEBIBYTE:.1f} MiB",
        "RSS at the end": f"{last.resident / _MEBIBYTE:.1f} MiB",
        "growth after warm-up": f"{result.growth / _MEBIBYTE:.2f} MiB (allowed {ALLOWED_GROWTH / _MEBIBYTE:.0f})",
        "objects": f"{first.objects:,} → {last.objects:,}",
        "file descriptors": f"{first.files} → {last.files}",
        "threads": f"{first.threads} → {last.threads}",
        "pending tasks": f"{first.tasks} → {last.tasks}",
        "log keys": f"{first.log_keys} → {last.log_keys}",
        "leaks": ", ".join(result.leaks) or "none",
    }
    return "\n".join(f"{name:<22} {value}" for name, value in rows.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; returns the process' exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.consumer.soak",
        description="Invoke the consumer in one process, with a table that fails now and then; fail if anything leaks.",
    )
    parser.add_argument("--invocations", type=int, default=10_000, metavar="N", help="default: 10,000")
    options = parser.parse_args(arguments)
    with _running_stub() as url:
        os.environ |= {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "soak",
            "AWS_SECRET_ACCESS_KEY": "soak",
            "RECOMMENDATIONS_DLQ_URL": f"{url}/123456789012/dead-letters",
        }
        result = soak(options.invocations)
    print(report(result))
    return 1 if result.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
