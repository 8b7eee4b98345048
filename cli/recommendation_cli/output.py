"""Output for other programs: JSON, JSON Lines and CSV, in UTF-8 whatever the terminal's encoding."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

from recommendation_cli.document_json import document_line, document_text
from recommendation_cli.facts import FACTS, fact_columns
from recommendation_cli.options.eager import CSV_WITH_BOM
from recommendation_cli.review_columns import REVIEW_COLUMNS, review_columns
from recommendation_cli.screen.visible import visible_lines
from recommendation_cli.search.queries import TTL, Document
from recommendation_shared.envelope.fields import FIELDS, REVIEWS
from recommendation_shared.exact_json.canonical import canonical_text, quote
from recommendation_shared.exact_json.printable import json_escaped, json_line

COLUMNS: Final = (
    *FIELDS,
    TTL,
    "contentDigest",
)  # of CSV: an envelope's fields, then the derived attributes; then come `FACTS` and `REVIEW_COLUMNS`
OTHER_FIELDS: Final = "otherFields"  # the last column: unknown fields as one JSON object
# Spreadsheets take a cell that starts with one of these for a formula. Whoever opens the file chooses the separator, so
# a cell may also start after any punctuation, quote, line break or (unless another follows) space within ours.
_SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"  # the last four are full-width ones, which Excel takes for the same
# The pattern begins with the sign, and then looks back at the character before it.
_STARTS_CELL: Final = rf"(?:(?<![\w {_SIGNS}].)|(?<= .)(?=[^ ]))"
_FORMULA: Final = re.compile(f"[{_SIGNS}]{_STARTS_CELL}")
# Looking for one sign after another takes a fifth of the time: `re` finds a given character much faster than a set.
_FORMULAS: Final = {sign: re.compile(re.escape(sign) + _STARTS_CELL) for sign in "=+-@\uff1d\uff0b\uff0d\uff20"}
_JSON_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')


def pretty_json(value: Any, indent: str = "") -> str:
    """Return JSON with sorted keys, indented by two spaces, with exact numbers, safe to print."""
    return json_escaped(_pretty(value, indent))


def _pretty(value: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{quote(key)}: {_pretty(value[key], inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _pretty(child, inner) for child in value) + f"\n{indent}]"
    return canonical_text(value)


def write_documents(stream: BinaryIO, documents: Iterable[Document], output_format: str) -> None:
    """Write documents as they arrive, as json (one array), jsonl (one per line) or csv (with a header)."""
    stream.write(_byte_order_mark(output_format))
    stream.writelines(text.encode() for text in _FORMATS[output_format](documents))


def write_records(stream: BinaryIO, records: Sequence[Mapping[str, Any]], output_format: str) -> None:
    """Write JSON objects that all have the same fields, which are the columns of CSV; formats as `write_documents`."""
    match output_format:
        case "json":
            stream.write(f"{pretty_json(list(records))}\n".encode())
        case "jsonl":
            stream.writelines(map(json_line, records))
        case _:
            stream.write(_byte_order_mark(output_format))
            titles = [list(record) for record in records[:1]]
            cells = ([_cell(value) for value in record.values()] for record in records)
            stream.writelines(_csv_row(row).encode() for row in (*titles, *cells))


def _json(documents: Iterable[Document]) -> Iterator[str]:
    separator = "[\n  "
    for document in documents:
        yield separator + pretty_json(document, "  ")
        separator = ",\n  "
    yield "[]\n" if separator.startswith("[") else "\n]\n"


def _json_lines(documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        yield document_line(document).decode()


def _csv(documents: Iterable[Document]) -> Iterator[str]:
    yield csv_header("csv").decode()
    for document in documents:
        yield csv_line(document).decode()


def csv_header(output_format: str) -> bytes:
    """Return how a CSV file of documents starts: its header, in `csv-bom` after a byte order mark."""
    return _byte_order_mark(output_format) + _csv_row([*COLUMNS, *FACTS, *REVIEW_COLUMNS, OTHER_FIELDS]).encode()


def csv_line(document: Document) -> bytes:
    """Return a document as a CSV record, which may have line breaks in quoted cells."""
    other = {name: document[name] for name in document.keys() - {*COLUMNS, REVIEWS}}
    known = {**fact_columns(document), **review_columns(document)}
    values = [*(document.get(name) for name in COLUMNS), *known.values(), other or None]
    return _csv_row([_cell(value, document_text) for value in values]).encode()


_FORMATS: Final[dict[str, Callable[[Iterable[Document]], Iterator[str]]]] = {
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    CSV_WITH_BOM: _csv,
}


def _byte_order_mark(output_format: str) -> bytes:
    return codecs.BOM_UTF8 if output_format == CSV_WITH_BOM else b""


def _csv_row(cells: Iterable[str]) -> str:
    """Return what `csv.writer` would write of two cells or more, in a tenth of the time."""
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str) -> str:
    if '"' in cell or "," in cell or "\n" in cell or "\r" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _cell(value: Any, to_json: Callable[[Any], str] = canonical_text) -> str:
    """Return a cell: nested values as JSON, text safe to print and never a formula to a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = visible_lines(value)
        if _has_formula(text):
            text = _FORMULA.sub(r"'\g<0>", text)
        return f"'{text}" if text.startswith("\t") else text
    text = json_escaped(to_json(value))
    return _JSON_STRING.sub(_without_formulas, text) if _has_formula(text) else text


def _has_formula(text: str) -> bool:
    return any(sign in text and pattern.search(text) for sign, pattern in _FORMULAS.items())


def _without_formulas(string: re.Match[str]) -> str:
    """Return a JSON string of the same value in which no formula starts."""
    return _FORMULA.sub(lambda sign: f"\\u{ord(sign[0]):04x}", string[0])
