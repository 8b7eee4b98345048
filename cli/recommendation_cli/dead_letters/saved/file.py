"""The file that `recs dlq save` writes and `purge` and `restore` read: one dead letter a line, as JSON."""

import base64
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.screen.visible import visible


def saved_line(letter: DeadLetter) -> str:
    """Return a dead letter as a line of the file."""
    document = {
        "messageId": letter.message_id,
        "body": letter.body,
        "messageAttributes": _to_json(letter.attributes),
        "attributes": dict(letter.system),
    }
    return json.dumps(document) + "\n"


def content_digest(letter: DeadLetter) -> str:
    """Return the SHA-256 of a dead letter's body and message attributes, in hexadecimal."""
    return sha256(json.dumps([letter.body, _to_json(letter.attributes)], sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises click's usage error when it cannot be read."""
    digest = sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise _unreadable(path, error) from None
    return digest.hexdigest()


def read_saved(path: Path) -> Iterator[DeadLetter]:
    """Yield the dead letters of a file, without receipts; raise a usage error when `save` did not write it."""
    number = 1
    try:
        with path.open(encoding="utf-8") as stream:
            for number, text in enumerate(stream, start=1):  # noqa: B007 - the message names the line
                yield _from_json(json.loads(text))
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(
            f"{visible(str(path))}, line {number}, was not written by `recs dlq save`: nothing was changed."
        ) from None


def _unreadable(path: Path, error: OSError) -> click.UsageError:
    return click.UsageError(f"{visible(str(path))} cannot be read: {error.strerror}.")


def _from_json(line: dict[str, Any]) -> DeadLetter:
    attributes = {name: _attribute(attribute) for name, attribute in line["messageAttributes"].items()}
    texts = (line["messageId"], line["body"], *line["attributes"].values())
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return DeadLetter(line["messageId"], "", line["body"], attributes, line["attributes"])


def _attribute(attribute: dict[str, str]) -> dict[str, str | bytes]:
    if not isinstance(attribute["DataType"], str):
        raise TypeError
    return {
        part: base64.b64decode(value, validate=True) if part == "BinaryValue" else value
        for part, value in attribute.items()
    }


def _to_json(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return message attributes with bytes in Base64, as in the AWS CLI's output."""
    return {
        name: {
            part: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for part, value in attribute.items()
        }
        for name, attribute in attributes.items()
    }
