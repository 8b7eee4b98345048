"""SendMessageBatch's limits: 10 entries and 1 MiB per request."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_shared.queue.batches import entry_bytes, fits, in_batches

MIB = 1024 * 1024


def _batches(*sizes: int) -> list[list[int]]:
    return list(in_batches(sizes, lambda size: size))


def test_batch_closes_at_ten_entries() -> None:
    """The eleventh entry starts the next batch."""
    assert list(map(len, _batches(*[1] * 21))) == [10, 10, 1]


def test_batch_closes_before_it_exceeds_1_mib() -> None:
    """Exactly 1 MiB still fits."""
    assert _batches(MIB - 1, 1, 1) == [[MIB - 1, 1], [1]]


def test_entry_that_is_too_large_gets_a_batch_to_itself() -> None:
    """So SQS rejects it without its neighbours."""
    assert _batches(1, MIB + 1, 2, 3) == [[1], [MIB + 1], [2, 3]]


def test_no_empty_batch_precedes_an_entry_that_is_too_large() -> None:
    """Even if it comes first: SQS would reject an empty request."""
    assert _batches(MIB + 1, MIB + 2, 1) == [[MIB + 1], [MIB + 2], [1]]


def test_no_entries_make_no_batch() -> None:
    """SQS would reject an empty request."""
    assert _batches() == []


@given(st.lists(st.integers(0, MIB) | st.integers(MIB + 1, 2 * MIB), max_size=60))
def test_every_batch_fits_and_nothing_is_lost_or_reordered(sizes: list[int]) -> None:
    """For any sizes; no batch is empty, and none has room for the entry that follows it."""
    batches = _batches(*sizes)
    assert [size for batch in batches for size in batch] == sizes
    assert all(batches)
    assert all(fits(len(batch), sum(batch)) or (len(batch) == 1 and batch[0] > MIB) for batch in batches)
    for batch, following in pairwise(batches):
        assert not fits(len(batch) + 1, sum(batch) + following[0])


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"Id": "0", "MessageBody": "é"}, 2),
        ({"Id": "0", "MessageBody": "\ud800"}, 3),
        (
            {
                "Id": "an ID does not count",
                "MessageBody": "é",
                "MessageAttributes": {
                    "ab": {"DataType": "String", "StringValue": "é"},
                    "c": {"DataType": "Binary", "BinaryValue": b"123"},
                },
                "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
            },
            2 + (2 + 6 + 2) + (1 + 6 + 3),
        ),
    ],
)
def test_size_of_an_entry_is_its_body_and_attributes_in_utf_8(entry: dict[str, object], size: int) -> None:
    """The names, types and values of attributes count; the entry's ID and the trace header do not."""
    assert entry_bytes(entry) == size
