"""What each kind of value becomes, and that no value costs more than itself."""

import collections
import dataclasses
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import pydantic
import pytest

from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.exact_json.plain import to_plain


class Colour(str, Enum):  # noqa: UP042 - as executors of before Python 3.11 have them
    """An enum whose members are strings."""

    RED = "red"


class Level(IntEnum):
    """An enum whose members are numbers."""

    HIGH = 3


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


@dataclasses.dataclass
class Finding:
    """A dataclass, without a default in its class."""

    cause: str
    seen: Any = dataclasses.field(default_factory=lambda: None)


class Slotted:
    """An object with slots and no text of its own."""

    __slots__ = ("cause",)

    def __init__(self) -> None:
        self.cause = "disk"


class Model(pydantic.BaseModel):
    """A model with everything that a naive conversion gets wrong."""

    model_config = pydantic.ConfigDict(extra="allow")

    cause: str = "disk"
    secret: str = pydantic.Field(default="secret", exclude=True)
    tags: set[str] = pydantic.Field(default_factory=lambda: {"b", "a", "c"})

    @pydantic.computed_field  # type: ignore[prop-decorator]  # pydantic's documented way
    @property
    def length(self) -> int:
        """Return a computed field."""
        return len(self.cause)


class Broken(pydantic.BaseModel):
    """A model with a serializer that raises."""

    cause: str = "disk"
    broken: str = "value"

    @pydantic.field_serializer("broken")
    def fail(self, _: str) -> str:
        """Raise."""
        raise RuntimeError


class Parent(pydantic.BaseModel):
    """A model that holds the broken one."""

    child: Broken = Broken()
    action: str = "roll back"


class Float32:
    """A scalar as numpy's look: shortest text, and a double with more digits."""

    dtype = SimpleNamespace(kind="f", name="float32")
    shape = ()

    def __str__(self) -> str:
        """Return the shortest text."""
        return "0.87"

    def item(self) -> float:
        """Return the double."""
        return 0.8700000047683716


Float32.__module__ = "numpy"


def unfinished() -> Iterator[int]:
    """Yield what must not be read."""
    raise AssertionError("read")
    yield 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({Point(2, 1), Point(1, 2)}, [{"x": 1, "y": 2}, {"x": 2, "y": 1}]),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Finding("disk", Level.HIGH), {"cause": "disk", "seen": 3}),
        (Slotted(), {"cause": "disk"}),
        (SimpleNamespace(a=1), {"a": 1}),
        (collections.deque([1, 2]), [1, 2]),
        (Decimal("0.87"), 0.87),
        (Decimal(1), 1),
        (Decimal("1E+2"), 100),
        (Decimal("0.12345678901234567890"), Decimal("0.1234567890123456789")),
        (Decimal("NaN"), "NaN"),
        (float("-inf"), "-Infinity"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:00:00+02:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(1, 2, 3), "01:02:03"),
        (timedelta(days=3, hours=4, seconds=1.5), "P3DT4H1.5S"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("/a"), "/a"),
        (b"ab", "ab"),
        (b"\xff", "_w=="),
        (1 + 2j, "(1+2j)"),
        ("a\ud800", "a\\ud800"),
        (Float32(), 0.87),
        ({1: "int", "1": "str"}, {"1 (int)": "int", "1": "str"}),
        (
            {(1, "a"): 1, Colour.RED: 2, date(2026, 1, 31): 3, None: 4, True: 5},
            {"1,a": 1, "red": 2, "2026-01-31": 3, "None": 4, "true": 5},
        ),
        ({"a\ud800": 1, (1, 2): 2}, {"a\\ud800": 1, "1,2": 2}),
        ([range(3)], ["range(0, 3)"]),
        (Model(note="extra"), {"cause": "disk", "tags": ["a", "b", "c"], "note": "extra", "length": 4}),  # type: ignore[call-arg]  # an extra
        ([Model()], [{"cause": "disk", "tags": ["a", "b", "c"], "length": 4}]),
    ],
)
def test_value_becomes_plain_json(value: Any, plain: Any) -> None:
    """Each kind has one form, at any depth."""
    assert to_plain(value) == (plain, [])
    assert to_plain({"deep": [value]}) == ({"deep": [plain]}, [])


@pytest.mark.parametrize("bound", [Float32().item, Float32.item, object()])
def test_address_of_an_object_never_appears(bound: Any) -> None:
    """It differs in every process, and so would the digest."""
    text, _ = to_plain([bound])
    assert "0x" not in text[0]


def test_iterators_are_named_and_not_read() -> None:
    """They belong to the host."""
    plain, marks = to_plain({"steps": unfinished(), "action": "roll back"})
    assert plain == {"steps": "<generator>", "action": "roll back"}
    assert [vars(mark) for mark in marks] == [{"path": "/steps", "text": "<generator>"}]


def test_serializer_that_raises_costs_its_own_value_alone() -> None:
    """Neither its model nor the model that holds it, and the raw value never leaves."""
    plain, marks = to_plain([Parent()])
    assert plain == [
        {"child": {"cause": "disk", "broken": "<Broken.broken: PydanticSerializationError>"}, "action": "roll back"}
    ]
    assert [mark.path for mark in marks] == ["/0/child/broken"]


class HostileKey:
    """A key that raises whatever is asked of it."""

    @property  # type: ignore[misc]  # the broken proxy has a read-only one
    def __class__(self) -> Any:  # noqa: D105 - as a broken proxy
        raise RuntimeError

    def __str__(self) -> str:
        """Raise."""
        raise RuntimeError


def test_key_that_raises_keeps_its_value() -> None:
    """Only the key is marked, and the other entries are unchanged."""
    plain, _ = to_plain({HostileKey(): 1, "action": "roll back"})
    assert plain == {"<HostileKey: RuntimeError>": 1, "action": "roll back"}


def test_marks_in_a_set_point_to_the_sorted_members() -> None:
    """Otherwise they would name another member, and differ between processes."""
    plain, marks = to_plain({("b", iter([])), ("a", len), ("c", iter([]))})
    assert plain == [["a", "<built-in function len>"], ["b", "<list_iterator>"], ["c", "<list_iterator>"]]
    assert [mark.path for mark in marks] == ["/1/1", "/2/1"]


class Scores(pydantic.BaseModel):
    """A model with values that pydantic cannot dump."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    confidence: Float32 = pydantic.Field(default_factory=Float32, serialization_alias="alias")
    evidence: Any = pydantic.Field(default_factory=lambda: [Float32(), Slotted(), {"b", "a"}])
    secret: str = pydantic.Field(default="secret", exclude=True)
    opaque: Any = len


def test_numbers_and_objects_that_pydantic_does_not_know_are_kept_in_its_models() -> None:
    """A scalar of numpy, for instance; excluded fields still never leave."""
    plain, marks = to_plain(Scores())
    slotted, _ = to_plain(Slotted())
    assert plain == {
        "confidence": 0.87,
        "evidence": [0.87, slotted, ["a", "b"]],
        "opaque": "<Scores.opaque: TypeError>",
    }
    assert [mark.path for mark in marks] == ["/opaque"]


def test_shared_value_is_not_a_circle() -> None:
    """Only a value that contains itself is."""
    shared = {"a": 1}
    assert to_plain([shared, shared]) == ([shared, shared], [])


def test_unset_fields_of_a_dataclass_are_left_out() -> None:
    """Somebody deleted one."""
    finding = Finding("disk")
    del finding.seen
    assert to_plain([finding]) == ([{"cause": "disk"}], [])


def test_huge_integer_is_written_in_full() -> None:
    """Python refuses to convert more than 4,300 digits to text."""
    assert dump_json([10**5_000]) == b"[1" + b"0" * 5_000 + b"]"


def test_json_is_what_it_was_for_plain_values() -> None:
    """Digests of stored items depend on it."""
    value = {"a": [1, 1.5, True, None, "é\n"], "b": {"c": -0.0}}
    assert dump_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("reverse", [False, True])
def test_members_of_a_set_that_differ_only_in_spelling_have_one_order(reverse: bool) -> None:
    """An enum's hash differs in every process, and 1 and 1.0 have the same canonical JSON."""

    class Members(set[object]):
        def __iter__(self) -> Iterator[object]:
            return iter([1.0, 1] if reverse else [1, 1.0])

    assert repr(to_plain(Members())[0]) == "[1, 1.0]"
