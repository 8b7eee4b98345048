"""Bodies that the sender writes, in a host without orjson, and copies until then."""

import enum
import json
import marshal
import sys
import tracemalloc
from array import array
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from recommendation_producer import _bodies
from recommendation_producer._bodies import Unwritten, snapshot
from recommendation_shared.envelope.writing import body_of, valid_fields
from recommendation_shared.exact_json import dump
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, recommendation, running_producer

KIB = 1024
Pair = namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - one of the kinds that hosts have


class Level(enum.IntEnum):
    """A number that is an instance of a subclass."""

    HIGH = 1


@dataclass
class Finding:
    """An instance of a class of the host's."""

    text: str


class Key:
    """A key whose comparison may raise, with the same hash as all others."""

    is_comparable = True

    def __hash__(self) -> int:
        """Collide."""
        return 1

    def __eq__(self, other: object) -> bool:
        """Be equal to itself only."""
        if not self.is_comparable:
            raise RuntimeError
        return self is other


@pytest.fixture(autouse=True)
def _no_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the host have none."""
    monkeypatch.setattr(dump, "ORJSON", None)


def fields_with(value: Any) -> dict[str, Any]:
    """Return valid fields whose recommendation has this value."""
    return valid_fields(**recommendation(recommendation={"value": value}))


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 2.5, None, True, ("b", [])]}, "\ud800", 10**5000, "\ufffe"],
    ids=["plain", "lone surrogate", "large number", "rejected by SQS"],
)
def test_plain_values_are_only_copied(value: object) -> None:
    """The body is that which the caller would have written."""
    fields = fields_with(value)
    copy = snapshot(fields)
    assert isinstance(copy, Unwritten)
    assert copy.written() == (body_of(fields), None)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"x",
        {1: "a"},
        1e-7,
        Finding("x"),
        Pair(1, 2),
        Level.HIGH,
        OrderedDict(a=1),
        type("Text", (str,), {})("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_written_at_once(value: object) -> None:
    """Only the host's own objects know what they hold."""
    fields = fields_with([value])
    assert snapshot(fields) == body_of(fields)


def test_value_with_a_buffer_is_not_taken_for_bytes() -> None:
    """As `marshal` does, which makes the copies."""
    fields = fields_with(array("d", [1.5]))
    assert marshal.loads(marshal.dumps(fields)) != fields  # noqa: S302 - made here
    assert snapshot(fields) == body_of(fields)


def test_value_that_another_thread_changes_during_the_copy_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was plain when it was checked."""
    monkeypatch.setattr(_bodies, "is_plain", lambda _: True)
    fields = fields_with([Level.HIGH])
    assert snapshot(fields) == body_of(fields)


def test_value_that_another_thread_changes_during_the_check_is_still_enqueued() -> None:
    """Iterating over a dictionary raises then. A trace function stands in for the thread."""
    findings: dict[str, Any] = {"a": 1, "b": 2}

    def change(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_name == "_is_plain" and event == "line":
            findings[f"key-{len(findings)}"] = 0
        return change

    fields = valid_fields(**recommendation(recommendation=findings))
    before = sys.gettrace()
    sys.settrace(change)
    try:
        body = snapshot(fields)
    finally:
        sys.settrace(before)
    assert len(findings) > 2
    assert body == body_of(fields)


def test_circle_is_written_at_once() -> None:
    """It has no end to copy to."""
    circle: list[Any] = [1]
    circle.append(circle)
    assert isinstance(snapshot(fields_with(circle)), bytes)


def test_keys_of_the_host_that_raise_are_written_at_once() -> None:
    """Copying such an object as a dictionary would compare its keys, with the host's code."""
    keys = [Key() for _ in range(20)]
    value = dict.fromkeys(keys, 1)
    for key in keys[2:]:
        del value[key]
    fields = fields_with(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Key, "is_comparable", False)
        assert isinstance(snapshot(fields), bytes)


def test_circle_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check level by level would grow a hundredfold with each; this is with a hundredth of the entries allowed."""
    monkeypatch.setattr(dump, "_MOST", dump._MOST // 100)
    circle: list[Any] = []
    circle.extend([circle] * 100)
    fields = fields_with(circle)
    tracemalloc.start()
    assert isinstance(snapshot(fields), bytes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < KIB * KIB


def test_value_that_is_nested_too_deeply_is_written_at_once() -> None:
    """What JSON cannot hold is marked there."""
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    body = snapshot(fields_with(value))
    assert isinstance(body, bytes)
    assert b"<nested too deeply>" in body
    while isinstance(value, list):  # taking it apart in one go would overflow the stack of some Pythons
        value = value.pop()


def test_host_may_change_its_values_afterwards() -> None:
    """The envelope is what was handed over."""
    queue, findings = FakeQueue(), {"steps": ["roll back"]}
    with running_producer(queue, max_age=60.0) as producer:
        assert producer.enqueue(**recommendation(recommendation=findings)).accepted
        findings["steps"].append("too late")
        producer.flush(NOTHING_HANGS)
    assert json.loads(queue.arrived[0])["recommendation"] == {"steps": ["roll back"]}


def test_body_that_turns_out_too_large_is_dropped_and_counted_while_the_others_are_sent() -> None:
    """A copy of 400 KB of control characters has 400 KB; as JSON, they take 2.4 MB."""
    queue = FakeQueue()
    with running_producer(queue, max_age=60.0) as producer:
        for number, text in enumerate(("a", "\x01" * 400 * KIB, "c")):
            assert producer.enqueue(**recommendation(number, reasoning=text)).accepted
        balance = producer.flush(NOTHING_HANGS)
    assert (balance.sent, balance.dropped, balance.pending) == (2, {"too_large": 1}, 0)
    assert len(queue.calls) == 1


def test_body_alone_in_its_batch_that_turns_out_too_large_makes_no_call() -> None:
    """SQS would refuse an empty batch."""
    queue = FakeQueue()
    with running_producer(queue, max_age=60.0) as producer:
        assert producer.enqueue(**recommendation(reasoning="\x01" * 400 * KIB)).accepted
        assert producer.flush(NOTHING_HANGS).dropped == {"too_large": 1}
    assert queue.calls == []


def test_copy_that_cannot_be_written_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason, such as memory: the sender goes on with the others."""

    def write(fields: dict[str, Any]) -> bytes:
        if fields["recommendation"] == {"number": 0}:
            raise MemoryError
        return body_of(fields)

    monkeypatch.setattr(_bodies, "body_of_plain", write)
    with running_producer(FakeQueue(), max_age=60.0) as producer:
        assert producer.enqueue(**recommendation(0)).accepted
        assert producer.enqueue(**recommendation(1)).accepted
        balance = producer.flush(NOTHING_HANGS)
    assert (balance.sent, balance.dropped, balance.pending) == (1, {"invalid": 1}, 0)


def test_copies_count_toward_the_bytes_of_the_buffer_until_they_are_sent() -> None:
    """With the memory that they take, also after the bodies are written: a text of 4 KB, and a little for the rest."""
    with running_producer(FakeQueue(), max_age=60.0, max_bytes=10 * KIB) as producer:
        for _ in range(2):
            outcomes = [producer.enqueue(**recommendation(number, reasoning="x" * 4 * KIB)) for number in range(3)]
            assert [outcome.reason for outcome in outcomes] == [None, None, "buffer_full"]
            assert producer.flush(NOTHING_HANGS).pending == 0


def test_copies_take_the_memory_that_is_counted() -> None:
    """And less than a kilobyte each besides, whatever they hold: values instead would take three times as much."""
    metrics = [{"name": f"metric-{n}", "value": n / 7, "tags": [n, {}]} for n in range(50)]
    values: list[Any] = [metrics, "\U0001f600" * 1000]
    snapshot(fields_with(values))  # so that caches are filled
    tracemalloc.start()
    copies = [snapshot(fields_with(values)) for _ in range(100)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    counted = sum(len(copy) for copy in copies if isinstance(copy, Unwritten))
    assert counted <= taken <= counted + len(copies) * KIB
