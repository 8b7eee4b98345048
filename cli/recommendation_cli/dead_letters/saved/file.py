"""The file that `recs dlq save` writes, and `purge` and `restore` read: one dead letter a line, as JSON."""

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
        "messageAttributes": _plain(letter.attributes),
        "attributes": dict(letter.system),
    }
    return json.dumps(document) + "\n"


def content_digest(letter: DeadLetter) -> str:
    """Return the SHA-256 of what a dead letter carries."""
    return sha256(json.dumps([letter.body, _plain(letter.attributes)], sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file. Raises `OSError`."""
    with path.open("rb") as stream:
        digest = sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_saved(path: Path) -> Iterator[DeadLetter]:
    """Yield the dead letters of a file, without receipts; raise a usage error when it is none that `save` wrote."""
    number = 1
    try:
        with path.open(encoding="utf-8") as stream:
            for number, text in enumerate(stream, start=1):  # noqa: B007 - the message names the line
                yield _letter(json.loads(text))
    except OSError as error:
        raise click.UsageError(f"{visible(str(path))} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(
            f"{visible(str(path))}, line {number}, is not what `recs dlq save` writes: nothing was changed."
        ) from None


def _letter(line: dict[str, Any]) -> DeadLetter:
    attributes = {name: _attribute(attribute) for name, attribute in line["messageAttributes"].items()}
    texts = (line["messageId"], line["body"], *line["attributes"].values())
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return DeadLetter(line["messageId"], "", line["body"], attributes, line["attributes"])


def _attribute(plain: dict[str, str]) -> dict[str, str | bytes]:
    if not isinstance(plain["DataType"], str):
        raise TypeError
    return {
        part: base64.b64decode(value, validate=True) if part == "BinaryValue" else value
        for part, value in plain.items()
    }


def _plain(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return attributes as JSON can hold them: bytes in Base64, as the AWS CLI has them."""
    return {
        name: {
            part: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for part, value in attribute.items()
        }
        for name, attribute in attributes.items()
    }
