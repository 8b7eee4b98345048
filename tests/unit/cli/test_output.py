"""JSON, JSON Lines and CSV: complete documents, exact numbers."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from recommendation_cli.output import COLUMNS, OTHER_FIELDS, pretty_json, write_documents, write_records
from recommendation_cli.search.queries import Document
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.parse import parse_json
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item
from tests.support.strategies import json_values


def _document(**fields: Any) -> Document:
    return decode_item(item(**fields))


def _written(documents: list[Document], form: str) -> str:
    stream = io.BytesIO()
    write_documents(stream, documents, form)
    return stream.getvalue().decode()


def _rows(*documents: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_written(list(documents), "csv"), newline="")))


@given(json_values)
def test_pretty_json_is_the_same_value(value: Any) -> None:
    """For anything JSON can hold, numbers to their last digit."""
    normalised = parse_json(canonical_text(value))
    assert canonical_text(parse_json(pretty_json(normalised))) == canonical_text(normalised)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_and_jsonl_one_line_each(count: int) -> None:
    """Also of nothing."""
    documents = [_document(agent_type=f"agent-{number}") for number in range(count)]
    texts = [canonical_text(document) for document in documents]
    assert [canonical_text(one) for one in parse_json(_written(documents, "json"))] == texts
    assert _written(documents, "jsonl").splitlines() == texts


def test_numbers_are_exact() -> None:
    """A double would change every one of these."""
    numbers = [Decimal("0.1000000000000000000000000000000000001"), 12345678901234567890123, Decimal("1E-130")]
    written = _written([{"numbers": numbers}], "jsonl")
    assert [Decimal(text) for text in written.strip()[12:-2].split(",")] == numbers


def test_documents_are_written_as_they_are_read() -> None:
    """A reader of the pipe sees the first one before the second page is there."""
    stream = io.BytesIO()

    def documents() -> Iterator[Document]:
        yield _document(agent_type="first")
        assert b"first" in stream.getvalue()
        yield _document(agent_type="second")

    write_documents(stream, documents(), "jsonl")
    assert stream.getvalue().count(b"\n") == 2


def test_json_has_no_raw_control_characters() -> None:
    """Though it still holds them."""
    written = _written([_document(reasoning="\x1b[2J\x9b\u202e\x7f")], "json")
    assert not set(written) & set("\x1b\x9b\u202e\x7f")
    assert json.loads(written)[0]["reasoning"] == "\x1b[2J\x9b\u202e\x7f"


def test_csv_holds_every_field() -> None:
    """Nested ones as JSON; those that this version does not know, together in the last column."""
    document = _document(citations=[{"title": "a,b"}], metadata={"status": "FAILURE"}) | {"newField": {"n": 1}}
    (row,) = _rows(document)
    assert tuple(row) == (*COLUMNS, OTHER_FIELDS)
    assert row["confidence"] == "0.87"
    assert row["reasoning"] == "The deploy came first.\nThen the errors."
    assert json.loads(row["citations"]) == [{"title": "a,b"}]
    assert json.loads(row["metadata"]) == {"status": "FAILURE"}
    assert json.loads(row[OTHER_FIELDS]) == {"newField": {"n": 1}}
    assert row["ttl"] == str(document["ttl"])


def test_csv_leaves_a_cell_empty_for_null() -> None:
    """And the last column, when every field is known."""
    (row,) = _rows(_document(confidence=None, retention=None))
    assert (row["confidence"], row["retention"], row["ttl"], row[OTHER_FIELDS]) == ("", "", "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_never_starts_a_formula(start: str) -> None:
    """A spreadsheet would run it; the usual remedy is a leading apostrophe."""
    (row,) = _rows(_document(reasoning=f"{start}cmd|' /C calc'!A0"))
    assert row["reasoning"].startswith(f"'{start}")


def test_csv_shows_control_characters_as_escapes() -> None:
    """A CSV file is looked at in terminals too."""
    (row,) = _rows(_document(reasoning="a\x1b[2J"))
    assert row["reasoning"] == r"a\x1b[2J"


RECORDS: list[dict[str, Any]] = [
    {"name": "=1+1", "found": {"b": 1, "a": None}, "right": True},
    {"name": "é\x1b", "found": [], "right": None},
]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (
            "jsonl",
            '{"found":{"a":null,"b":1},"name":"=1+1","right":true}\n{"found":[],"name":"é\\u001b","right":null}\n',
        ),
        ("csv", 'name,found,right\r\n\'=1+1,"{""a"":null,""b"":1}",true\r\né\\x1b,[],\r\n'),
    ],
)
def test_records_of_any_kind_have_the_same_forms(form: str, written: str) -> None:
    """Safe to print, and in CSV no formula; the fields of the first are the columns."""
    stream = io.BytesIO()
    write_records(stream, RECORDS, form)
    assert stream.getvalue().decode() == written


@pytest.mark.parametrize(("form", "written"), [("json", "[]\n"), ("jsonl", ""), ("csv", "")])
def test_no_records_are_still_of_their_form(form: str, written: str) -> None:
    """As an empty list of documents is."""
    stream = io.BytesIO()
    write_records(stream, [], form)
    assert stream.getvalue().decode() == written


def test_records_as_json_are_one_array() -> None:
    """Whose objects keep their nested values."""
    stream = io.BytesIO()
    write_records(stream, RECORDS, "json")
    assert json.loads(stream.getvalue()) == RECORDS
