"""Finds recommendations as they are stored, by reading the keys of an index again and again.

An index lags behind its table, dead letters are redriven hours after their agents completed, and the sort key is the
time of completion. So each poll reads an overlap again, and a sweep reads everything that is followed. A sweep may cost
`SWEEP_UNITS` of read units a second: if everything is smaller than that, every poll is a sweep.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.search.period import Period
from recommendation_cli.search.projection import FILTERED
from recommendation_cli.search.queries import Document, Search, get_item, is_expired, pages
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item

OVERLAP: Final = 120.0  # seconds that each poll reads again: an index usually lags its table by less than one
SWEEP_UNITS: Final = 20.0  # read units a second, on average


class Followed(NamedTuple):
    """What is followed: searches by index key and value, and how far back a sweep reads (seconds; None: everything).

    `units` is what a call of `searches` costs, in read units.
    """

    searches: Callable[[], Sequence[tuple[str, str]]]
    horizon: float | None
    units: float = 0


class Follower:
    """Yields each recommendation once. `now` returns epoch seconds; `units` counts DynamoDB's read units."""

    def __init__(self, client: DynamoDb, table: str, followed: Followed, now: Callable[[], float]) -> None:
        self.units = 0.0
        self._client = client
        self._table = table
        self._followed = followed
        self._now = now
        self._seen: dict[str, str] = {}  # recommendation ID -> timestamp
        self._executions: dict[str, str] = {}  # -> timestamp of the newest recommendation
        self._concluded: set[str] = set()
        self._covered = now()
        self._sweep_due = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing of what is followed has been seen."""
        return not self._seen

    @property
    def is_concluded(self) -> bool:
        """Whether the newest execution has a consensus."""
        if not self._executions:
            return False
        return max(self._executions, key=lambda execution: self._executions[execution]) in self._concluded

    def existing(self, *, attributes: tuple[str, ...], whole: bool) -> Iterator[Document]:
        """Yield what there is already, as it is read: within each search in order of completion.

        `attributes` and `whole` are those of `Search`. If it raises, the next poll yields the rest.
        """
        now = self._now()
        for item in self._items(self._sweep_start(now), attributes=attributes, whole=whole):
            self._seen[item[PARTITION_KEY]["S"]] = item["timestamp"]["S"]
            if not is_expired(item, now):
                yield decode_item(item)
        self._covered = now
        self._sweep_due = now + self.units / SWEEP_UNITS

    def poll(self) -> Iterator[Document]:
        """Yield the recommendations stored since the last poll, in order of completion.

        Raises as botocore's clients do; the next poll yields what this one could not.
        """
        started, before = self._now(), self.units
        is_sweep = started >= self._sweep_due
        since = self._sweep_start(started) if is_sweep else min(self._covered, started) - OVERLAP
        for key in self._new_keys(since):
            item = get_item(self._client, self._table, key)
            self.units += 1  # at least, for a strongly consistent read of up to 4 KB
            self._seen[key] = key if item is None else str(item.get("timestamp", {}).get("S", ""))
            if item is not None and not is_expired(item, started):
                yield decode_item(item)
        self._covered = started
        if is_sweep:
            self._sweep_due = started + (self.units - before) / SWEEP_UNITS
            self._forget(since)

    def skip(self, since: str | None) -> None:
        """Take what was completed before a sort key (None: everything there is) as known already."""
        for item in self._items(self._sweep_start(self._now())):
            timestamp = item["timestamp"]["S"]
            if since is None or timestamp < since:
                self._seen[item[PARTITION_KEY]["S"]] = timestamp

    def _new_keys(self, since: float | None) -> list[str]:
        found = {item[PARTITION_KEY]["S"]: item["timestamp"]["S"] for item in self._items(since)}
        return sorted(found.keys() - self._seen.keys(), key=lambda key: (found[key], key))

    def _items(
        self, since: float | None, *, attributes: tuple[str, ...] = FILTERED, whole: bool = False
    ) -> Iterator[Any]:
        period = Period() if since is None else Period(since=sort_key(EPOCH + timedelta(seconds=since)))
        self.units += self._followed.units
        for key, value in self._followed.searches():
            search = Search(key, value, period, oldest_first=True, whole=whole, attributes=attributes)
            for page in pages(self._client, self._table, search):
                self.units += page.units
                for item in page.items:
                    self._note(item)
                    yield item

    def _note(self, item: Any) -> None:
        execution, timestamp = item["executionId"]["S"], item["timestamp"]["S"]
        self._executions[execution] = max(self._executions.get(execution, ""), timestamp)
        if item["agentType"]["S"] == CONSENSUS:
            self._concluded.add(execution)

    def _sweep_start(self, now: float) -> float | None:
        return None if self._followed.horizon is None else now - self._followed.horizon

    def _forget(self, since: float | None) -> None:
        """Forget what no sweep will read again, so that memory does not grow without end."""
        if since is None:
            return
        oldest = sort_key(EPOCH + timedelta(seconds=since - OVERLAP))
        self._seen = {key: timestamp for key, timestamp in self._seen.items() if timestamp >= oldest}
        gone = {execution for execution, timestamp in self._executions.items() if timestamp < oldest}
        self._executions = {name: last for name, last in self._executions.items() if name not in gone}
        self._concluded -= gone
