"""The demo's executor: a process in an environment of its own, with the built layer behind its packages."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from examples.executor.run import ExecutionResult
from infra.build.artifacts import LAYER
from infra.build.zips import build_layer
from infra.errors import BuildError, StackError
from infra.paths import ROOT
from recommendation_producer import Balance

_PROGRAM: Final = Path(__file__).with_name("executor_process.py")


@dataclass(frozen=True)
class HandedOver:
    """What the executor handed to the producer, and what became of it there."""

    results: list[ExecutionResult]
    accepted: set[str]  # the distinct recommendation IDs
    refused: list[str]  # the reasons
    balance: Balance
    packages: Mapping[str, str]  # the executor's own: their versions by name


class Executor:
    """Runs the executor of examples/executor behind the unpacked `layer`, with this process's AWS variables."""

    def __init__(self, layer: Path, layer_bytes: int) -> None:
        self.layer_bytes = layer_bytes  # of the zip
        self._layer = layer
        self._python = Path(f"{sys.prefix}-executor", "bin", "python")
        if not self._python.exists():
            raise StackError(f"{self._python} does not exist; run: make {sys.prefix}-executor/.ready")

    def run(
        self, day: date, incident_id: str | None = None, on_execution: Callable[[ExecutionResult], None] | None = None
    ) -> HandedOver:
        """Run every recorded execution on `day`, or only the incident's, node by node.

        Raises `StackError` if the executor fails, or if its producer is not the layer's.
        """
        arguments = [str(ROOT), str(self._layer), day.isoformat(), *([incident_id] if incident_id else [])]
        command = [str(self._python), "-I", str(_PROGRAM), *arguments]
        results: list[ExecutionResult] = []
        document: dict[str, Any] = {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:  # noqa: S603 - our own program
            assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
            for line in process.stdout:
                document = json.loads(line)
                if "finished" in document:
                    results.append(ExecutionResult(**document["finished"]))
                    if on_execution is not None:
                        on_execution(results[-1])
        if process.returncode != 0 or "balance" not in document:
            raise StackError(f"the executor ended with exit code {process.returncode}")
        if not Path(document["module"]).is_relative_to(self._layer):
            raise StackError(f"the executor imported {document['module']} instead of the layer")
        return HandedOver(
            results,
            set(document["accepted"]),
            document["refused"],
            Balance(**document["balance"]),
            document["packages"],
        )


@contextmanager
def executor_with_layer() -> Iterator[Executor]:
    """Build and unpack the layer; yield the executor. Raises `StackError`."""
    try:
        built = build_layer()
    except BuildError as error:
        raise StackError(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="layer-") as folder:
        with zipfile.ZipFile(built.path) as bundle:
            bundle.extractall(folder)
        yield Executor(Path(folder).resolve() / LAYER.prefix, built.compressed)
