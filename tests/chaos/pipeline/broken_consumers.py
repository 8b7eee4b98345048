"""Consumers that are broken on purpose, to show that the ledger notices: `--break NAME`."""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from recommendation_consumer.clients import Clients

_ONE_IN: Final = 200  # messages; chosen by ID, so that every delivery of a message meets the same fate

Handler = Callable[[Any, Any], Any]


def _is_chosen(record: Mapping[str, Any]) -> bool:
    return zlib.crc32(record["messageId"].encode()) % _ONE_IN == 0


def _loses(handler: Handler) -> Handler:
    """Acknowledge some messages without reading them."""
    return lambda event, context: handler(
        {"Records": [record for record in event["Records"] if not _is_chosen(record)]}, context
    )


def _alters(handler: Handler) -> Handler:
    """Change the reasoning in some messages, as a bug in a codec would."""

    def altered(record: dict[str, Any]) -> dict[str, Any]:
        if not _is_chosen(record):
            return record
        return {**record, "body": json.dumps({**json.loads(record["body"]), "reasoning": "something else"})}

    return lambda event, context: handler({"Records": [altered(record) for record in event["Records"]]}, context)


def _trusts_http_200(handler: Handler) -> Handler:
    """Treat every item of a successful BatchWriteItem as stored, ignoring the unprocessed ones."""
    real = Clients.batch_write

    async def without_unprocessed(clients: Clients, body: bytes) -> Mapping[str, Any]:
        return {**await real(clients, body), "UnprocessedItems": {}}

    Clients.batch_write = without_unprocessed  # type: ignore[assignment,method-assign]  # broken on purpose
    return handler


BREAKS: Final[Mapping[str, Callable[[Handler], Handler]]] = {
    "loses": _loses,
    "alters": _alters,
    "trusts-http-200": _trusts_http_200,
}


def broken(name: str, handler: Handler) -> Handler:
    """Return the handler with the named fault or, for an empty name, the handler itself."""
    return BREAKS[name](handler) if name else handler
