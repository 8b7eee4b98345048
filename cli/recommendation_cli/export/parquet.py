"""Parquet: each document in full as JSON text, next to typed columns that people filter and sort by."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from recommendation_cli.aws.errors import DigestMismatchError
from recommendation_cli.facts import fact_columns
from recommendation_cli.review_columns import REVIEW_COLUMNS, review_columns
from recommendation_cli.screen.visible import visible
from recommendation_shared.envelope.identity import parse_instant
from recommendation_shared.exact_json.parse import JsonError, parse_json

DOCUMENT: Final = "document"  # the column that holds a line of JSON Lines, without its end
# A row group is held in memory while it is written, and again by whoever reads the file.
GROUP_BYTES: Final = 16 * 1024 * 1024  # of JSON
GROUP_ROWS: Final = 10_000
_TEXTS: Final = (
    *("recommendationId", "incidentId", "executionId", "agentType", "reasoning"),
    "contentDigest",
)
_NUMBERS: Final = ("retention", "ttl", "schemaVersion")
_INT64: Final = range(-(2**63), 2**63)


@cache
def arrow() -> Any:
    """Return pyarrow, which ships no types; raise a usage error when it is not installed."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        raise click.UsageError(
            "Parquet needs pyarrow: install it next to recs (pip install pyarrow), or export .jsonl."
        ) from None


@cache
def _schema() -> Any:
    pa = arrow()
    fields = [(name, pa.string()) for name in _TEXTS] + [(name, pa.int64()) for name in _NUMBERS]
    fields += [("timestamp", pa.timestamp("us", tz="UTC")), ("confidence", pa.float64())]
    fields += [("status", pa.string()), ("durationMs", pa.float64()), ("cost", pa.float64()), ("tokens", pa.int64())]
    fields += [("model", pa.string()), ("agentVersion", pa.string())]
    fields += [(name, pa.string()) for name in (*REVIEW_COLUMNS, DOCUMENT)]
    return pa.schema(fields)


def write_parquet(
    lines: Iterable[bytes],
    stream: BinaryIO,
    report: Callable[[int], None],
    *,
    group_bytes: int = GROUP_BYTES,
    group_rows: int = GROUP_ROWS,
) -> None:
    """Write lines of JSON Lines, row group by row group; `report` receives how many bytes of them were written."""
    parquet = arrow().parquet
    # With checksums, readers notice a damaged page.
    with parquet.ParquetWriter(stream, _schema(), compression="zstd", write_page_checksum=True) as writer:
        for group in _groups(lines, group_bytes, group_rows):
            writer.write_table(_table([line.decode().removesuffix("\n") for line in group]), row_group_size=len(group))
            report(sum(map(len, group)))


def read_parquet(path: Path) -> Iterator[tuple[bytes, str | None]]:
    """Yield each document as a line of JSON Lines, and the name of a column that contradicts it, if any.

    Raises `DigestMismatchError` for a file that is damaged or was not written by `recs export`.
    """
    pa = arrow()
    try:
        with pa.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(_schema()):
                raise DigestMismatchError(f"{visible(str(path))} is Parquet, but was not written by recs export.")
            for number in range(file.num_row_groups):
                yield from _rows(file.read_row_group(number))
    except (pa.lib.ArrowException, OSError, UnicodeDecodeError) as error:
        why = visible(str(error).splitlines()[0])
        raise DigestMismatchError(f"{visible(str(path))} is damaged or is not Parquet: {why}") from None


def _rows(table: Any) -> Iterator[tuple[bytes, str | None]]:
    texts = [text or "" for text in table.column(DOCUMENT).to_pylist()]
    expected = _table(texts)
    # Compare as Arrow values: converting times to Python needs a time zone database.
    wrong = [name for name in table.column_names if not table.column(name).equals(expected.column(name))]
    for index, text in enumerate(texts):
        column = next((name for name in wrong if table.column(name)[index] != expected.column(name)[index]), None)
        yield f"{text}\n".encode(), column


def _groups(lines: Iterable[bytes], group_bytes: int, group_rows: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and (size + len(line) > group_bytes or len(group) == group_rows):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def _table(texts: list[str]) -> Any:
    return arrow().Table.from_pylist([_row(text) for text in texts], schema=_schema())


def _row(text: str) -> dict[str, Any]:
    """Return a document's row; a field that does not have its column's type is left empty."""
    try:
        parsed = parse_json(text)
    except JsonError:
        parsed = None
    document: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    texts = {name: document.get(name) for name in _TEXTS}
    numbers = {name: document.get(name) for name in _NUMBERS}
    known = fact_columns(document)
    return {
        **{name: value if isinstance(value, str) else None for name, value in texts.items()},
        **{name: value if type(value) is int and value in _INT64 else None for name, value in numbers.items()},
        "timestamp": _instant(document.get("timestamp")),
        "confidence": _double(document.get("confidence")),
        **known,
        **review_columns(document),
        **{name: None if known[name] is None else float(known[name]) for name in ("durationMs", "cost")},
        DOCUMENT: text,
    }


def _instant(value: Any) -> datetime | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:  # written by hand
        return None


def _double(value: Any) -> float | None:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None
