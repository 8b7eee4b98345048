"""The archive: whole documents as gzipped JSON Lines in S3, in a Hive partition for each day of completion."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final, NamedTuple

import aioboto3
from botocore.config import Config

from recommendation_consumer.keeper.change import Change
from recommendation_shared.envelope.identity import EPOCH, parse_instant, sort_key
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item

_PREFIX: Final = "incidents"  # the role may write nothing else in the bucket
_DATE: Final = len("2026-01-31")
_CONFIG: Final = Config(connect_timeout=1, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

PutFile = Callable[[str, bytes], Awaitable[None]]
"""Writes or replaces the file with this key. Raises `ClientError` or `BotoCoreError`."""


class ArchiveFile(NamedTuple):
    """A file of the archive; its lines are in the stream's order."""

    key: str
    body: bytes


def archive_files(changes: Sequence[Change]) -> list[ArchiveFile]:
    """Return the files for these removed items, at least one: a file for each day on which agents completed them.

    A file is named after the first of its changes. When a batch is delivered again, as a whole or divided in two, its
    files begin with the same changes, so they replace those of the first delivery. Raises `ValueError` for an unknown
    DynamoDB type.
    """
    days: dict[str, list[Change]] = {}
    for change in changes:
        days.setdefault(_day(change), []).append(change)
    return [_file(day, its_changes) for day, its_changes in days.items()]


def _file(day: str, changes: Sequence[Change]) -> ArchiveFile:
    first = changes[0]
    lines = b"".join(json_line(decode_item(change.old or {})) for change in changes)
    key = f"{_PREFIX}/dt={day}/{first.sequence_number}-{first.event_id}.jsonl.gz"
    return ArchiveFile(key, gzip.compress(lines, mtime=0))  # the same lines give the same bytes


def _day(change: Change) -> str:
    """Return the day, in UTC, on which the agent completed; for an item that lacks it, the day of its removal."""
    try:
        instant = parse_instant((change.old or {}).get("timestamp", {}).get("S", ""))
    except ValueError:
        instant = EPOCH + timedelta(seconds=change.at)
    return sort_key(instant)[:_DATE]


class ArchiveBucket:
    """A bucket whose client is opened on first use and kept, on one event loop."""

    def __init__(self, name: str, region: str | None) -> None:
        self._name = name
        self._region = region
        self._client: Any = None
        self._opening = asyncio.Lock()
        self._exits = AsyncExitStack()

    async def put(self, key: str, body: bytes) -> None:
        """Write or replace a file. Raises `ClientError` or `BotoCoreError`."""
        async with self._opening:
            if self._client is None:
                session = aioboto3.Session()
                client = session.client("s3", region_name=self._region, config=_CONFIG)
                self._client = await self._exits.enter_async_context(client)
        await self._client.put_object(Bucket=self._name, Key=key, Body=body, ContentType="application/gzip")

    async def close(self) -> None:
        """Close the connections."""
        self._client = None
        await self._exits.aclose()
