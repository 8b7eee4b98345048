import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.app import recs
from recommendation_cli.facts import FACTS
from recommendation_cli.options.eager import CSV_WITH_BOM
from recommendation_cli.output import COLUMNS, OTHER_FIELDS, csv_line, pretty_json, write_documents, write_records
from recommendation_cli.review_columns import REVIEW_COLUMNS
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.fields import DERIVED_FIELDS, FIELDS
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.parse import parse_json
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, item, runtime
from tests.support.strategies import json_values


def _document(**fields: Any) -> Document:
    return decode_item(item(**fields))


def _written(documents: list[Document], output_format: str) -> str:
    stream = io.BytesIO()
    write_documents(stream, documents, output_format)
    return stream.getvalue().decode()


def _rows(*documents: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_written(list(documents), "csv"), newline="")))


@given(json_values)
def test_pretty_json_is_the_same_value(value: Any) -> None:
    """Numbers keep their last digit."""
    normalised = parse_json(canonical_text(value))
    assert canonical_text(parse_json(pretty_json(normalised))) == canonical_text(normalised)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_and_jsonl_one_line_per_document(count: int) -> None:
    """An empty list is an empty array, or no lines."""
    documents = [_document(agent_type=f"agent-{number}") for number in range(count)]
    texts = [canonical_text(document) for document in documents]
    assert [canonical_text(document) for document in parse_json(_written(documents, "json"))] == texts
    assert _written(documents, "jsonl").splitlines() == texts


def test_numbers_are_exact() -> None:
    """A double could not hold any of these."""
    numbers = [Decimal("0.1000000000000000000000000000000000001"), 12345678901234567890123, Decimal("1E-130")]
    written = _written([{"numbers": numbers}], "jsonl")
    assert [Decimal(text) for text in written.strip()[12:-2].split(",")] == numbers


def test_documents_are_written_as_they_are_read() -> None:
    """A pipe receives the first document before the second has been read."""
    stream = io.BytesIO()

    def documents() -> Iterator[Document]:
        yield _document(agent_type="first")
        assert b"first" in stream.getvalue()
        yield _document(agent_type="second")

    write_documents(stream, documents(), "jsonl")
    assert stream.getvalue().count(b"\n") == 2


def test_json_escapes_control_characters() -> None:
    """Parsing returns them unchanged."""
    written = _written([_document(reasoning="\x1b[2J\x9b\u202e\x7f")], "json")
    assert not set(written) & set("\x1b\x9b\u202e\x7f")
    assert json.loads(written)[0]["reasoning"] == "\x1b[2J\x9b\u202e\x7f"


def test_csv_has_every_field() -> None:
    """Nested values are JSON, and unknown fields share the last column."""
    document = _document(citations=[{"title": "a,b"}], metadata={"status": "FAILURE"}) | {"newField": {"n": 1}}
    (row,) = _rows(document)
    assert tuple(row) == (*COLUMNS, *FACTS, *REVIEW_COLUMNS, OTHER_FIELDS)
    assert set(COLUMNS) == FIELDS.keys() | DERIVED_FIELDS
    assert row["confidence"] == "0.87"
    assert row["reasoning"] == "The deploy came first.\nThen the errors."
    assert json.loads(row["citations"]) == [{"title": "a,b"}]
    assert json.loads(row["metadata"]) == {"status": "FAILURE"}
    assert json.loads(row[OTHER_FIELDS]) == {"newField": {"n": 1}}
    assert row["ttl"] == str(document["ttl"])


def test_csv_has_columns_for_what_the_executor_measured() -> None:
    """Tokens are those read and those written; what is missing is an empty cell."""
    cost = {"inputTokens": 298, "outputTokens": 1214, "estimatedCost": 0.019104, "model": "large"}
    metadata = {"status": "TIMEOUT", "durationMs": 7420, "agentVersion": "1.4.0", "cost": cost}
    (row,) = _rows(_document(metadata=metadata))
    assert {name: row[name] for name in FACTS} == {
        "status": "TIMEOUT",
        "durationMs": "7420",
        "cost": "0.019104",
        "tokens": "1512",
        "model": "large",
        "agentVersion": "1.4.0",
    }
    (row,) = _rows(_document(metadata={"cost": 0.5, "tokens": 7}))
    assert {name: row[name] for name in FACTS} == dict.fromkeys(FACTS, "") | {"cost": "0.5", "tokens": "7"}


@given(st.lists(st.text(st.sampled_from('ab",;\r\n\t ')), min_size=2, max_size=4, unique=True))
def test_csv_is_quoted_as_the_csv_module_does(titles: list[str]) -> None:
    """Byte for byte: the titles are written as they are."""
    expected, written = io.StringIO(newline=""), io.BytesIO()
    csv.writer(expected).writerows([titles, [""] * len(titles)])
    write_records(written, [dict.fromkeys(titles)], "csv")
    assert written.getvalue().decode() == expected.getvalue()


def test_null_is_an_empty_cell_in_csv() -> None:
    """The last column is empty if every field is known."""
    (row,) = _rows(_document(confidence=None, retention=None))
    assert (row["confidence"], row["retention"], row["ttl"], row[OTHER_FIELDS]) == ("", "", "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_never_starts_a_formula(start: str) -> None:
    """A spreadsheet would evaluate it; a leading apostrophe prevents that."""
    (row,) = _rows(_document(reasoning=f"{start}cmd|' /C calc'!A0"))
    assert row["reasoning"].startswith(f"'{start}")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":", " ", "^", "~", "/"])
@pytest.mark.parametrize(
    "attack",
    [
        "ok;=cmd|' /C calc'!A0;more",
        'x,"=1+1"',
        "first\n=1+1\n+2",
        'a\t@SUM(1)|-1+1:"=2"',
        "it's '=1'^=1~=1/=1",
        "\uff1d1+1 and =1",
        "see =HYPERLINK(1)",
    ],
)
def test_no_cell_is_a_formula_whatever_separates_cells(separator: str, attack: str) -> None:
    """Spreadsheets in half of Europe read semicolons, and others guess."""
    document = {"reasoning": attack, "recommendation": {attack: [attack]}, "citations": [{"title": attack}]}
    written = csv_line(document).decode()
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        for cell in row:
            assert not re.match(r"[=+\-@\uff1d]", cell), cell
    (exact,) = csv.reader(io.StringIO(written, newline=""))
    assert json.loads(exact[COLUMNS.index("recommendation")]) == {attack: [attack]}


def test_prose_keeps_its_hyphens_and_addresses() -> None:
    """Only what could start a formula gets an apostrophe."""
    text = "p99 - 40 % on 2026-01-31, a@b.example, x=1, 3 + 4, well-known"
    (row,) = csv.reader(io.StringIO(csv_line({"reasoning": text}).decode(), newline=""))
    assert row[COLUMNS.index("reasoning")] == text


@pytest.mark.parametrize("write", [write_documents, write_records])
def test_a_byte_order_mark_precedes_the_header(write: Any) -> None:
    """Excel takes a file without one for the encoding of the machine."""
    written = io.BytesIO()
    write(written, [{"reasoning": "Ä"}], CSV_WITH_BOM)
    assert written.getvalue().startswith(b"\xef\xbb\xbf")
    assert "Ä" in written.getvalue().decode("utf-8-sig")


@pytest.mark.parametrize("output", [(), ("-o", "json")])
def test_a_byte_order_mark_is_for_csv(output: tuple[str, ...]) -> None:
    """In JSON it would be an error."""
    result = CliRunner().invoke(recs, ["incident", "i", "--bom", *output], obj=runtime(FakeDynamoDb([])))
    assert result.exit_code == 2
    assert "--bom is for CSV: add -o csv." in result.stderr


def test_csv_escapes_control_characters() -> None:
    """People print CSV files on terminals too."""
    (row,) = _rows(_document(reasoning="a\x1b[2J"))
    assert row["reasoning"] == r"a\x1b[2J"


RECORDS: list[dict[str, Any]] = [
    {"name": "=1+1", "value": {"b": 1, "a": None}, "ok": True},
    {"name": "é\x1b", "value": [], "ok": None},
]


@pytest.mark.parametrize(
    ("output_format", "written"),
    [
        (
            "jsonl",
            '{"name":"=1+1","ok":true,"value":{"a":null,"b":1}}\n{"name":"é\\u001b","ok":null,"value":[]}\n',
        ),
        ("csv", 'name,value,ok\r\n\'=1+1,"{""a"":null,""b"":1}",true\r\né\\x1b,[],\r\n'),
    ],
)
def test_records_are_as_safe_as_documents(output_format: str, written: str) -> None:
    """The fields of the first record are the columns of CSV."""
    stream = io.BytesIO()
    write_records(stream, RECORDS, output_format)
    assert stream.getvalue().decode() == written


@pytest.mark.parametrize(("output_format", "written"), [("json", "[]\n"), ("jsonl", ""), ("csv", "")])
def test_an_empty_list_of_records_keeps_its_format(output_format: str, written: str) -> None:
    """JSON is an empty array, the other formats are empty."""
    stream = io.BytesIO()
    write_records(stream, [], output_format)
    assert stream.getvalue().decode() == written


def test_records_as_json_are_one_array() -> None:
    """Its objects keep their nested values."""
    stream = io.BytesIO()
    write_records(stream, RECORDS, "json")
    assert json.loads(stream.getvalue()) == RECORDS
