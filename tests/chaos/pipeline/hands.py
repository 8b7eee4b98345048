"""Edit and delete stored items by hand while the pipeline runs: the keeper must keep what they were."""

from random import Random
from typing import Final

from tests.chaos.pipeline.faults.stream import TableStream

_DELETED: Final = 0.3  # of the items; the others are edited


class Hands:
    """Touches an item about once in `interval` handled messages."""

    def __init__(self, stream: TableStream, interval: int, seed: int) -> None:
        self._stream = stream
        self._interval = interval
        self._chance = Random(f"{seed}/hands")
        self._next = interval

    async def tick(self, done: int) -> None:
        """Touch a random item if one is due; `done` counts handled messages."""
        written = self._stream.written if done >= self._next else []
        if not written:
            return
        self._next = done + self._interval
        key = self._chance.choice(written)
        act = self._stream.delete if self._chance.random() < _DELETED else self._stream.edit
        await act(key)
