"""SendMessageBatch requests: how many entries fit into one, and how many bytes SQS counts for each.

Amazon SQS Developer Guide, "Message quotas": 10 entries, and 1 MiB for the whole request.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from recommendation_shared import limits

T = TypeVar("T")


def fits(count: int, total_bytes: int) -> bool:
    """Return whether one request takes `count` entries of `total_bytes` bytes together."""
    return count <= limits.SQS_BATCH_ENTRIES and total_bytes <= limits.SQS_REQUEST_BYTES


def in_batches(entries: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Divide entries, in order, into batches that each fit into one request; `size_of` gives an entry's bytes.

    An entry that is too large on its own is a batch on its own, so that SQS refuses it and nothing else.
    """
    batch: list[T] = []
    total = 0
    for entry in entries:
        size = size_of(entry)
        if batch and not fits(len(batch) + 1, total + size):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size
    if batch:
        yield batch


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """Return the bytes that SQS counts for an entry: its body, and the name, type and value of each attribute.

    Neither the entry's ID nor the X-Ray trace header, a system attribute, counts.
    """
    total = utf8_bytes(entry["MessageBody"])
    for name, attribute in entry.get("MessageAttributes", {}).items():
        total += utf8_bytes(name) + utf8_bytes(attribute["DataType"])
        total += utf8_bytes(attribute.get("StringValue", "")) + len(attribute.get("BinaryValue", b""))
    return total


def utf8_bytes(text: str) -> int:
    """Return the bytes of a text in UTF-8; a lone surrogate, which has no UTF-8, counts three."""
    return len(text.encode(errors="surrogatepass"))
