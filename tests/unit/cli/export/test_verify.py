import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings

from recommendation_cli.app import recs
from recommendation_cli.export.verify import verify
from recommendation_consumer.keeper.archive import archive_files
from recommendation_consumer.keeper.change import read_changes
from recommendation_shared.envelope import Envelope
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item, encode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, item, runtime
from tests.support.lambdas.stream_event import expired, stored, stream_event
from tests.support.strategies import envelope_fields


def _recs(client: FakeDynamoDb, *args: str | Path) -> Result:
    return CliRunner().invoke(recs, ["export", *map(str, args)], obj=runtime(client))


@settings(max_examples=60)
@given(envelope_fields)
def test_any_item_survives_export_and_import_byte_for_byte(fields: dict[str, Any]) -> None:
    """The consumer's code rebuilds it from the exported line."""
    line = json_line(decode_item(json.loads(encode_item(Envelope.create(**fields).to_fields()).body)))
    assert list(verify([line])) == [None]


def test_a_trimmed_item_survives_too() -> None:
    """Its envelope was larger than what the table can hold."""
    line = json_line(decode_item(item(reasoning="x" * 500_000, recommendation={"deep": [[[1.5e-7, 1e40]]]})))
    assert list(verify([line])) == [None]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda line: line.replace(b"0.87", b"0.88"), "the content has the digest"),
        (lambda line: line.replace(b'"ttl":', b'"ttl":1'), "the content has the ttl"),
        (
            lambda line: line.replace(b'"confidence":0.87', b'"confidence": 0.87'),
            "not the bytes that recs export writes",
        ),
        (lambda line: line.replace(b'"contentDigest"', b'"digest"'), "the content has the digest"),
        (lambda line: line[:-10], "the file was cut off"),
        (lambda line: line[:50] + b"\n", "must be JSON"),
        (lambda line: b"[]\n", "InvalidEnvelope"),  # noqa: ARG005 - the others use the argument
        (lambda line: line.replace(b"rec-incident-7", b"rec-incident-8"), "IdMismatch"),
    ],
)
def test_any_change_is_found(change: Any, what: str, tmp_path: Path) -> None:
    """It is reported with the number of its line, and exits with 4."""
    good, other = (json_line(decode_item(stored)) for stored in (item(), item("knowledge-rag")))
    file = tmp_path / "x.jsonl"
    file.write_bytes(other + change(good))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert result.exit_code == 4
    assert result.stdout.startswith("line 2: ")
    assert what in result.stdout
    assert f"1 of 2 lines of {file} is not what the table held" in result.stderr


def test_a_duplicate_is_found(tmp_path: Path) -> None:
    """A faulty resumption could leave one."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(json_line(decode_item(item())) * 2)
    assert "line 2: rec-incident-7-consensus-2026-01-31T12:00:00Z: the same recommendation is on an earlier line" in (
        _recs(FakeDynamoDb(), "verify", file).stdout
    )


def test_an_intact_export_is_counted(tmp_path: Path) -> None:
    """Empty, missing and CSV files are refused."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(json_line(decode_item(item())))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert (result.exit_code, result.stdout[:26]) == (0, "1 recommendation verified:")
    file.write_bytes(b"")
    assert _recs(FakeDynamoDb(), "verify", file).exit_code == 1
    (tmp_path / "x.csv").touch()
    assert _recs(FakeDynamoDb(), "verify", tmp_path / "x.csv").exit_code == 2
    assert _recs(FakeDynamoDb(), "verify", tmp_path / "none.jsonl").exit_code == 2


def test_a_file_of_the_archive_is_verified_as_it_is(tmp_path: Path) -> None:
    """The keeper writes what TTL removes as gzipped JSON Lines; its own code makes the file here."""
    changes = read_changes(stream_event(expired(stored("one"), 1), expired(stored("two"), 2)))
    (archived,) = archive_files(changes)
    file = tmp_path / "x.jsonl.gz"
    file.write_bytes(archived.body)
    result = _recs(FakeDynamoDb(), "verify", file)
    assert (result.exit_code, result.stdout[:27]) == (0, "2 recommendations verified:"), result.stderr
    file.write_bytes(gzip.compress(gzip.decompress(archived.body).replace(b"roll back", b"roll on")))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert result.exit_code == 4
    assert f"2 of 2 lines of {file} are not what the table held: download it again." in result.stderr


@pytest.mark.parametrize("damage", [lambda raw: raw[:-9], lambda raw: raw[:20] + b"x" + raw[21:], lambda _: b"text"])
def test_a_damaged_file_of_the_archive_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Cut off, changed, or not gzip at all."""
    (archived,) = archive_files(read_changes(stream_event(expired(stored()))))
    file = tmp_path / "x.jsonl.gz"
    file.write_bytes(damage(archived.body))
    result = _recs(FakeDynamoDb(), "verify", file)
    assert result.exit_code == 4
    assert result.stderr.endswith(f"{file} is damaged or was cut off: download it again.\n")
