"""Consumers that are broken on purpose, to see the ledger refuse what they do: `--break NAME`."""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from recommendation_consumer.clients import Clients

_EVERY: Final = 200  # messages; chosen by their ID, so that each delivery of one has the same fate

Handler = Callable[[Any, Any], Any]


def _is_chosen(record: Mapping[str, Any]) -> bool:
    return zlib.crc32(record["messageId"].encode()) % _EVERY == 0


def _loses(handler: Handler) -> Handler:
    """Acknowledge some messages without looking at them."""
    return lambda event, context: handler(
        {"Records": [one for one in event["Records"] if not _is_chosen(one)]}, context
    )


def _alters(handler: Handler) -> Handler:
    """Change the reasoning in some messages, as a bug in a codec would."""

    def altered(record: dict[str, Any]) -> dict[str, Any]:
        if not _is_chosen(record):
            return record
        return {**record, "body": json.dumps({**json.loads(record["body"]), "reasoning": "quite another"})}

    return lambda event, context: handler({"Records": [altered(one) for one in event["Records"]]}, context)


def _trusts_http_200(handler: Handler) -> Handler:
    """Take every item of a BatchWriteItem that was answered with HTTP 200 for stored, as if none were throttled."""
    real = Clients.batch_write

    async def believe(clients: Clients, body: bytes) -> Mapping[str, Any]:
        return {**await real(clients, body), "UnprocessedItems": {}}

    Clients.batch_write = believe  # type: ignore[assignment,method-assign]  # broken on purpose
    return handler


BREAKS: Final[Mapping[str, Callable[[Handler], Handler]]] = {
    "loses": _loses,
    "alters": _alters,
    "trusts-http-200": _trusts_http_200,
}


def broken(name: str, handler: Handler) -> Handler:
    """Return the handler with the fault of that name; without a name, the handler itself."""
    return BREAKS[name](handler) if name else handler
