"""Verifying an export: re-importing each line must produce the same item and the same bytes."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from recommendation_cli.aws.errors import DigestMismatchError, NothingFoundError
from recommendation_cli.export.dataset import VERSION_FIELD
from recommendation_cli.export.parquet import read_parquet
from recommendation_cli.screen.visible import visible
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.fields import ERASURE, HOLD, REVIEWS
from recommendation_shared.exact_json.parse import JsonError, parse_json
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.encoding import decode_item, encode_item
from recommendation_shared.item.holds import read_erasure, read_hold
from recommendation_shared.wording import plural

_MOST_PROBLEMS: Final = 20  # printed; all are counted
_GZIPPED: Final = ".gz"  # a file of the keeper's archive


class Problem(NamedTuple):
    """A line and its fault; lines are counted from 1."""

    line: int
    recommendation_id: str
    what: str


def verify(lines: Iterable[bytes]) -> Iterator[Problem | None]:
    """Yield, for each line of JSON Lines, what is wrong with it, or None.

    A line is right when the consumer's own code builds an item from it that has the digest, the time to live and the
    hold that the line carries, when that item exports to the same bytes, and when no earlier line had its ID. Reviews
    beside it are not checked: they are not part of the recommendation.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        identity, what = _check(line)
        if what is None and identity in seen:
            what = "the same recommendation is on an earlier line"
        seen.add(identity)
        yield None if what is None else Problem(number, visible(identity), what)


def _check(line: bytes) -> tuple[str, str | None]:
    if not line.endswith(b"\n"):
        return "", "the line does not end: the file was cut off"
    try:
        carried: Any = parse_json(line)
        if isinstance(carried, dict) and VERSION_FIELD in carried and "contentDigest" not in carried:
            raise click.UsageError("This is a dataset, which does not hold whole documents: export without --dataset.")
        envelope = Envelope.from_json(line)
    except (JsonError, EnvelopeError) as error:
        return "", str(error)
    beside = json.loads(encode_map({name: carried[name] for name in (HOLD, ERASURE) if name in carried}))
    item = encode_item(envelope.to_fields(), None, read_hold(beside))
    stored = json.loads(item.body)
    if read_erasure(beside) is not None:
        stored[ERASURE] = beside[ERASURE]
    if carried.get("contentDigest") != item.digest:
        what = f"the content has the digest {item.digest}, the line says {visible(str(carried.get('contentDigest')))}"
    elif carried.get("ttl") != item.expires_at:
        what = f"the content has the ttl {item.expires_at}, the line says {visible(str(carried.get('ttl')))}"
    elif json_line(decode_item(stored) | _beside(carried)) != line:
        what = "the content is the same, but not the bytes that recs export writes"
    else:
        what = None
    return item.recommendation_id, what


def _beside(carried: dict[str, Any]) -> dict[str, Any]:
    """Return what a line carries beside its document: reviews, which no digest covers."""
    return {REVIEWS: carried[REVIEWS]} if REVIEWS in carried else {}


def verify_file(path: Path) -> None:
    """Check an export line by line, or row by row; raise `DigestMismatchError` when any is not what the table held."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        raise click.UsageError(
            "CSV cannot be verified, because its cells are made safe for spreadsheets: export .jsonl."
        )
    place = "row" if suffix == ".parquet" else "line"
    count = wrong = 0
    for problem in _verify_rows(path) if suffix == ".parquet" else _verify_lines(path):
        count += 1
        if problem is not None:
            wrong += 1
            if wrong <= _MOST_PROBLEMS:
                click.echo(f"{place} {problem.line}: {problem.recommendation_id or '(no ID)'}: {problem.what}")
    if wrong:
        differ = f"{wrong:,} of {plural(count, place)} of {path} {'is' if wrong == 1 else 'are'}"
        remedy = "download it again" if suffix == _GZIPPED else "export again"
        raise DigestMismatchError(f"{differ} not what the table held: {remedy}.")
    if not count:
        raise NothingFoundError(f"{path} is empty.")
    click.echo(f"{plural(count, 'recommendation')} verified: each {place} produces the same item, digest and bytes.")


def _verify_lines(path: Path) -> Iterator[Problem | None]:
    if path.suffix.lower() != _GZIPPED:
        with path.open("rb") as lines:
            yield from verify(lines)
        return
    try:
        with gzip.open(path) as lines:
            yield from verify(lines)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DigestMismatchError(f"{path} is damaged or was cut off: download it again.") from None


def _verify_rows(path: Path) -> Iterator[Problem | None]:
    rows, documents = tee(read_parquet(path))  # `verify` takes one row at a time, so nothing piles up
    for (_, column), (number, problem) in zip(rows, enumerate(verify(line for line, _ in documents), 1), strict=True):
        mismatch = Problem(number, "", f"the column {column} does not match the document") if column else None
        yield problem or mismatch
