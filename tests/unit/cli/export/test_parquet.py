import json
import signal
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from hypothesis import given, settings

from recommendation_cli.app import recs
from recommendation_cli.aws.errors import DigestMismatchError
from recommendation_cli.export import parquet
from recommendation_cli.export.resumable_file import part_path, state_path
from recommendation_shared.envelope import Envelope
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item, encode_item
from tests.support.fakes.recommendation_table import COMPLETED, FakeDynamoDb, Item, item, runtime
from tests.support.strategies import envelope_fields

pa: Any = parquet.arrow()
pq: Any = pa.parquet

KILLED = """
import os, signal, sys
from pathlib import Path
from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, items, runtime

file, moment, name = sys.argv[1:]
holder = os if name == "fsync" else Path
real = getattr(holder, name)

def deadly(*args, **options):
    converting = os.path.exists(file + ".new") or os.path.exists(file)
    if converting and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = real(*args, **options)
    if converting:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(holder, name, deadly)
recs(["export", "incident", "incident-7", file], obj=runtime(FakeDynamoDb(items(4))))
"""


def _recs(client: FakeDynamoDb, *args: str | Path) -> Result:
    return CliRunner().invoke(recs, ["export", *map(str, args)], obj=runtime(client))


def _items(count: int = 4) -> list[Item]:
    return [item(age=timedelta(seconds=-number), reasoning=f"Number {number}.") for number in range(count)]


def _lines(items: list[Item]) -> list[bytes]:
    return [json_line(decode_item(stored)) for stored in items]


def _write(path: Path, lines: list[bytes], **limits: int) -> None:
    with path.open("wb") as stream:
        parquet.write_parquet(lines, stream, lambda _size: None, **limits)


def test_documents_are_whole_and_columns_typed(tmp_path: Path) -> None:
    """Athena, DuckDB and pandas read both."""
    file = tmp_path / "i.parquet"
    metadata = {"status": "TIMEOUT", "durationMs": 7420.5, "cost": {"estimatedCost": 0.25, "outputTokens": 9}}
    items = [*_items(2), item("knowledge-rag", confidence="high", retention=None, metadata=metadata)]
    result = _recs(FakeDynamoDb(items), "incident", "incident-7", file)
    assert result.exit_code == 0, result.output
    assert f"Check it: recs export verify {file}" in result.stderr
    table = pq.read_table(file)
    assert table.column("document").to_pylist() == [line.decode().rstrip("\n") for line in _lines(items)]
    assert table.column("timestamp")[0].cast(pa.int64()).as_py() == int(COMPLETED.timestamp() * 1_000_000)
    assert table.schema.field("timestamp").type == pa.timestamp("us", tz=str(UTC))
    assert table.column("confidence").to_pylist() == [0.87, 0.87, None]
    facts = ("status", "durationMs", "cost", "tokens", "model")
    assert [table.column(name).to_pylist()[2] for name in facts] == ["TIMEOUT", 7420.5, 0.25, 9, None]
    assert table.column("ttl").to_pylist()[1:] == [int(items[1]["ttl"]["N"]), None]
    assert table.column("agentType").to_pylist() == ["consensus", "consensus", "knowledge-rag"]
    assert [path.name for path in tmp_path.iterdir()] == ["i.parquet"]
    verified = _recs(FakeDynamoDb(), "verify", file)
    assert (verified.exit_code, verified.stdout[:28]) == (0, "3 recommendations verified: ")


def test_a_resumed_export_gives_the_same_file(tmp_path: Path) -> None:
    """It continues after the last whole page."""
    whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
    items = _items()
    assert _recs(FakeDynamoDb(items[:2], items[2:]), "incident", "incident-7", whole).exit_code == 0
    outage = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Query")
    assert _recs(FakeDynamoDb(items[:2], outage), "incident", "incident-7", broken).exit_code == 3
    assert not broken.exists()
    assert _recs(FakeDynamoDb(items[:2], items[2:]), "resume", broken).exit_code == 0
    assert broken.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("name", ["fsync", "replace", "unlink"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_any_step_of_the_conversion_loses_nothing(name: str, moment: str, tmp_path: Path) -> None:
    """The next run only converts again, or finds that the export is complete."""
    file = tmp_path / "i.parquet"
    command = [sys.executable, "-c", KILLED, str(file), moment, name]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    client = FakeDynamoDb()
    assert _recs(client, "resume", file).exit_code == 0
    assert client.queries == []
    assert _recs(FakeDynamoDb(), "verify", file).stdout.startswith("4 recommendations verified")
    assert not part_path(file).exists()
    assert not state_path(file).exists()


def test_without_pyarrow_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read, and other formats still work."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    parquet.arrow.cache_clear()
    client = FakeDynamoDb(_items())
    result = _recs(client, "incident", "incident-7", tmp_path / "i.parquet")
    assert result.exit_code == 2
    assert "Parquet needs pyarrow: install it next to recs (pip install pyarrow)" in result.stderr
    assert client.queries == []
    assert _recs(client, "incident", "incident-7", tmp_path / "i.jsonl").exit_code == 0
    monkeypatch.undo()
    parquet.arrow.cache_clear()


def test_parquet_cannot_be_written_to_a_pipe() -> None:
    """The file is converted once everything has been read."""
    assert _recs(FakeDynamoDb(_items()), "incident", "incident-7", "-", "--format", "parquet").exit_code == 2


def test_row_groups_are_bounded_in_bytes_and_rows(tmp_path: Path) -> None:
    """Neither writing nor reading needs the whole file in memory."""
    lines = _lines(_items(10))
    _write(tmp_path / "bytes.parquet", lines, group_bytes=2 * len(lines[0]))
    _write(tmp_path / "rows.parquet", lines, group_rows=1)
    for name, groups in (("bytes", 5), ("rows", 10)):
        file = tmp_path / f"{name}.parquet"
        assert pq.ParquetFile(file).num_row_groups == groups
        assert [line for line, column in parquet.read_parquet(file) if column is None] == lines


@settings(max_examples=30)
@given(envelope_fields)
def test_any_item_survives_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any]) -> None:
    """The columns match the document."""
    file = tmp_path_factory.getbasetemp() / "any.parquet"
    lines = [json_line(decode_item(json.loads(encode_item(Envelope.create(**fields).to_fields()).body)))]
    _write(file, lines)
    assert list(parquet.read_parquet(file)) == [(lines[0], None)]


def test_values_that_no_column_can_hold_stay_in_the_document(tmp_path: Path) -> None:
    """Items written by hand may have them; the column is empty."""
    line = b'{"agentType":7,"confidence":"high","retention":%d,"timestamp":"noon","ttl":true}\n' % 2**70
    _write(tmp_path / "odd.parquet", [line, b"[]\n"])
    assert [document for document, _ in parquet.read_parquet(tmp_path / "odd.parquet")] == [line, b"[]\n"]
    row = pq.read_table(tmp_path / "odd.parquet").to_pylist()[0]
    assert {name: value for name, value in row.items() if value is not None} == {"document": line.decode().rstrip("\n")}


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("confidence", 0.5, "row 2: (no ID): the column confidence does not match the document"),
        ("timestamp", None, "the column timestamp does not"),
        ("document", "{}", "InvalidEnvelope"),
    ],
)
def test_a_changed_column_is_found(column: str, value: Any, what: str, tmp_path: Path) -> None:
    """It is reported with the number of its row, and exits with 4."""
    file = tmp_path / "x.parquet"
    _write(file, _lines(_items(2)))
    table = pq.read_table(file)
    changed = pa.array([table.column(column)[0].as_py() if column != "timestamp" else None, value])
    if column == "timestamp":
        changed = pa.array([COMPLETED, None], table.schema.field(column).type)
    position = table.column_names.index(column)
    pq.write_table(table.set_column(position, table.schema.field(column), changed), file)
    result = _recs(FakeDynamoDb(), "verify", file)
    assert result.exit_code == 4
    assert what in result.stdout
    assert "1 of 2 rows" in result.stderr


def test_a_damaged_or_foreign_file_is_found(tmp_path: Path) -> None:
    """Its end is missing, or its columns are different."""
    file = tmp_path / "x.parquet"
    _write(file, _lines(_items()))
    file.write_bytes(file.read_bytes()[:-10])
    cut = _recs(FakeDynamoDb(), "verify", file)
    assert (cut.exit_code, "is damaged or is not Parquet" in cut.stderr) == (4, True)
    pq.write_table(pa.table({"document": ["{}"]}), file)
    assert "was not written by recs export" in _recs(FakeDynamoDb(), "verify", file).stderr


def test_a_changed_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Checksums cover the documents; any other byte is not read, or makes a column differ from the document."""
    file, lines = tmp_path / "x.parquet", _lines(_items())
    _write(file, lines)
    good = file.read_bytes()
    noticed = 0
    for position in range(0, len(good), 11):
        file.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        try:
            read = list(parquet.read_parquet(file))
        except DigestMismatchError:
            noticed += 1
        else:
            assert [line for line, column in read if column is None] == lines, position
    assert noticed > len(good) // 11 // 3
