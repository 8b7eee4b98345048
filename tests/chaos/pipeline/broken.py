"""Consumers that are broken on purpose, to see the ledger refuse what they do: `--break NAME`."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from consumer import writer

_EVERY: Final = 1_000

Handler = Callable[[Any, Any], Any]


def _loses(handler: Handler) -> Handler:
    """Acknowledge one message in 1,000 without looking at it."""
    numbers = itertools.count(1)

    def lossy(event: Mapping[str, Any], context: Any) -> Any:
        return handler({"Records": [one for one in event["Records"] if next(numbers) % _EVERY]}, context)

    return lossy


def _trusts_http_200(handler: Handler) -> Handler:
    """Take every item of a BatchWriteItem that was answered with HTTP 200 for stored."""
    writer._unprocessed = lambda response: set()  # noqa: ARG005 - its name is the signature's
    return handler


def _alters(handler: Handler) -> Handler:
    """Change the reasoning of one message in 1,000, as a bug in a codec would."""
    numbers = itertools.count(1)

    def altered(record: dict[str, Any]) -> dict[str, Any]:
        try:
            wire = json.loads(record["body"])
        except ValueError:
            return record
        if next(numbers) % _EVERY:
            return record
        return {**record, "body": json.dumps({**wire, "reasoning": "quite another"})}

    return lambda event, context: handler({"Records": [altered(one) for one in event["Records"]]}, context)


BREAKS: Final[Mapping[str, Callable[[Handler], Handler]]] = {
    "loses": _loses,
    "alters": _alters,
    "trusts-http-200": _trusts_http_200,
}


def broken(name: str, handler: Handler) -> Handler:
    """Return the handler with the fault of that name; without a name, the handler itself."""
    return BREAKS[name](handler) if name else handler
