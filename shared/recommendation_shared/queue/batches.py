"""Divide entries into SendMessageBatch requests, and count their bytes as SQS does.

The limits are 10 entries and 1 MiB per request (Amazon SQS Developer Guide, "Message quotas").
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from recommendation_shared import limits

TRACE_HEADER: Final = "AWSTraceHeader"  # the only system attribute that a sender may set

T = TypeVar("T")


def fits(count: int, total_bytes: int) -> bool:
    """Return whether `count` entries, of `total_bytes` bytes in total, fit into one request."""
    return count <= limits.SQS_BATCH_ENTRIES and total_bytes <= limits.SQS_REQUEST_BYTES


def in_batches(entries: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Divide entries, in order, into batches that each fit into one request; `size_of` returns an entry's bytes.

    An entry that is too large for any request gets a batch to itself, so that SQS rejects it and nothing else.
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

    The entry's ID does not count, and neither does the X-Ray trace header, which is a system attribute.
    """
    total = utf8_bytes(entry["MessageBody"])
    for name, attribute in entry.get("MessageAttributes", {}).items():
        total += utf8_bytes(name) + utf8_bytes(attribute["DataType"])
        total += utf8_bytes(attribute.get("StringValue", "")) + len(attribute.get("BinaryValue", b""))
    return total


def utf8_bytes(text: str) -> int:
    """Return the length of `text` in UTF-8 bytes. A lone surrogate, which UTF-8 cannot encode, counts as three."""
    return len(text.encode(errors="surrogatepass"))
