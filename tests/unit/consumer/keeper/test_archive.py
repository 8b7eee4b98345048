"""The archive's files."""

import gzip
from collections.abc import Sequence
from typing import Any

from recommendation_consumer.keeper.archive import archive_files
from recommendation_consumer.keeper.change import Change, read_changes
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item
from tests.support.lambdas.stream_event import expired, sequence_number, stored, stream_event

DAYS = ("2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z", "2026-01-31T23:59:59.999999Z", "2026-01-31T00:00:00+02:00")
ITEMS = [stored(f"agent-{number}", timestamp=day) for number, day in enumerate(DAYS)]
RECORDS = [expired(item, number) for number, item in enumerate(ITEMS)]


def _archive(records: Sequence[Any]) -> dict[str, bytes]:
    return {file.key: gzip.decompress(file.body) for file in archive_files(read_changes(stream_event(*records)))}


def test_documents_are_partitioned_by_the_day_on_which_agents_completed() -> None:
    """In UTC. A reader asks for that day, and it does not depend on when TTL came round."""
    name = [f"{sequence_number(record)}-{record['eventID']}.jsonl.gz" for record in RECORDS]
    lines = [json_line(decode_item(item)) for item in ITEMS]
    assert _archive(RECORDS) == {
        f"incidents/dt=2026-01-31/{name[0]}": lines[0] + lines[2],
        f"incidents/dt=2026-02-01/{name[1]}": lines[1],
        f"incidents/dt=2026-01-30/{name[3]}": lines[3],
    }


def test_file_has_the_same_bytes_at_every_delivery() -> None:
    """So writing it again changes nothing."""
    changes: list[Change] = read_changes(stream_event(*RECORDS))
    assert archive_files(changes) == archive_files(changes)


def test_batch_delivered_again_in_halves_leaves_every_document_once() -> None:
    """The first half replaces the files that begin with the same changes; the second half's files are new."""
    for half in range(1, len(RECORDS)):
        bucket = {**_archive(RECORDS), **_archive(RECORDS[:half]), **_archive(RECORDS[half:])}
        lines = b"".join(bucket.values()).splitlines()
        assert sorted(lines) == sorted(json_line(decode_item(item)).rstrip() for item in ITEMS)


def test_item_without_a_usable_timestamp_is_filed_under_the_day_of_its_removal() -> None:
    """Somebody put it there by hand, and it must not hold up the others."""
    items = [
        {"recommendationId": {"S": "x"}},
        {**ITEMS[0], "timestamp": {"S": "../.."}},
        {**ITEMS[0], "timestamp": {"N": "7"}},
    ]
    (key,) = _archive([expired(item, number) for number, item in enumerate(items)])
    assert key.startswith("incidents/dt=2026-02-01/")
