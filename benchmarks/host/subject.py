"""One measurement: a fresh process in its host's environment, with the stub as its AWS."""

import json
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.host.processor import held
from benchmarks.support.aws_stub import RECEIVED
from infra.build.environments import environment

HERE: Final = Path(__file__).parent
PYTHON: Final = "3.13"  # Lambda's newest with a large share of hosts
_TIMEOUT: Final = 60.0  # seconds
_LEAST: Final = 500  # bytes that arrive, however well the outputs are compressed


@dataclass(frozen=True, slots=True)
class Way:
    """A row of the report. `name` is that in `inside/ways.py`, `lock` the lock file of the host's packages."""

    name: str
    lock: str
    title: str


WAYS: Final = (
    Way("producer", "host", "this producer"),
    Way("boto3", "host", "boto3 `send_message_batch` in the handler"),
    Way("aioboto3", "aioboto3", "aioboto3 `send_message_batch` in the handler"),
    Way("langfuse", "langfuse", "Langfuse's client"),
    Way("langsmith", "langsmith", "LangSmith's client"),
)


class Subject:
    """Starts the processes of one run, all with the same stub, outputs and layer."""

    def __init__(self, stub: str, outputs: Path, layer: Path) -> None:
        self._arguments = (stub, str(outputs))
        self._layer = str(layer)

    def measure(self, way: Way, part: str) -> Mapping[str, Any]:
        """Return what `inside/measure.py` reports."""
        received = self._received()
        with self._start(way, part) as process:
            report = _report(process)
        if part != "construct-uncompiled" and self._received() - received < _LEAST:
            raise RuntimeError(f"{way.title} sent nothing, so there is nothing to measure")
        return report

    def _received(self) -> int:
        with urllib.request.urlopen(self._arguments[0] + RECEIVED, timeout=_TIMEOUT) as response:  # noqa: S310 - our own stub
            return int(response.read())

    def measure_held(self, way: Way, share: float) -> Mapping[str, Any]:
        """Return the report of a first invocation with `share` of a processor, and `held_by`."""
        with self._start(way, "throttled") as process:
            assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
            process.stdout.readline()
            with held(process.pid, share) as means:
                report = _report(process, "go\n")
        return {**report, "held_by": means}

    def _start(self, way: Way, part: str) -> "subprocess.Popen[str]":
        python = environment(way.lock, PYTHON, HERE / "locks" / f"{way.lock}.lock")
        program = [str(python), "-I", str(HERE / "inside" / "measure.py"), way.name, *self._arguments, part]
        return subprocess.Popen(
            [*program, self._layer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={},
        )


def _report(process: "subprocess.Popen[str]", answer: str = "") -> Mapping[str, Any]:
    out, err = process.communicate(answer, timeout=_TIMEOUT)
    if process.returncode != 0 or err:
        raise RuntimeError(f"{process.args!r}\n{err}")
    report: Mapping[str, Any] = json.loads(out)
    return report
