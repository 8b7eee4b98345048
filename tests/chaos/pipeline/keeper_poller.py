"""Deliver the table's stream to the keeper as Lambda's mapping does: in order, and again until it is kept."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.chaos.pipeline.faults.stream import Record, TableStream
from tests.support.lambdas.stream_event import sequence_number, stream_event

_BATCH: Final = 10  # records
_IDLE: Final = 0.05  # seconds between looks at an empty stream
_RETRY: Final = 0.2  # seconds before a batch is delivered again
_LINE: Final = 64 * 1024  # bytes of a response, at most
_TIMEOUT: Final = 10.0  # seconds of an invocation


class KeeperPoller:
    """Owns the keeper's process, which may be killed at any time, and starts another one."""

    def __init__(self, stream: TableStream, environment: Mapping[str, str], folder: Path) -> None:
        self._stream = stream
        self._environment = {**environment, "AWS_SDK_UA_APP_ID": "keeper"}
        self._log = folder / "keeper.log"
        self._process: Process | None = None
        self._batch: Sequence[Record] = ()
        self.killed = 0

    @property
    def is_idle(self) -> bool:
        """Whether everything in the stream has been kept."""
        return self._stream.is_empty and not self._batch

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._batch = self._batch or self._stream.take(_BATCH)
                if not self._batch:
                    await asyncio.sleep(_IDLE)
                    continue
                left = _left(self._batch, await self._respond(stream_event(*self._batch)))
                if left:
                    await asyncio.sleep(_RETRY)
                self._batch = left
        finally:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    def kill(self) -> None:
        """Kill the process, as Lambda ends a sandbox; its batch is delivered again."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self.killed += 1

    async def _respond(self, event: Mapping[str, Any]) -> Any:
        """Return the function's response, or None if it raised or was killed."""
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(event).encode() + b"\n")
            await process.stdin.drain()
        except ConnectionError:
            return None
        line = await process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "tests.chaos.pipeline.keeper_process",
                    str(_TIMEOUT),
                    env=self._environment,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=log,
                    limit=_LINE,
                )
        return self._process


def _left(batch: Sequence[Record], response: Any) -> Sequence[Record]:
    """Return what is delivered again: everything from the first failure on, or all if the function failed."""
    if response is None:
        return batch
    failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
    first = next((index for index, record in enumerate(batch) if sequence_number(record) in failed), len(batch))
    return batch[first:]
