"""Recognise messages that another AWS service has wrapped on their way, which is a fault of the wiring."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from recommendation_shared.envelope.field_rules import MAPPING
from recommendation_shared.exact_json.parse import JsonError, parse_json

_NAME: Final = "incidentId"
_LEVELS: Final = 8  # count; a service that wraps messages adds two to four


def wrapped_by(body: str) -> str | None:
    """Return which service has wrapped a message, and how to have it delivered raw; None for any other body.

    The forms are those of the Amazon SNS Developer Guide ("HTTP/HTTPS notification JSON format") and the Amazon
    EventBridge User Guide ("Events" and "Amazon EventBridge Pipes input transformation").
    """
    try:
        value = parse_json(body)
    except JsonError:
        return None
    return _wrapper(value) if isinstance(value, MAPPING) else None


def _wrapper(value: Mapping[str, Any]) -> str | None:
    match value:
        case {"Type": str(), "TopicArn": str()}:
            return (
                "body: an Amazon SNS notification wraps the message: raw message delivery is needed"
                " (set RawMessageDelivery on the subscription)"
            )
        case {"detail-type": str(), "source": str(), "detail": _}:
            return (
                "body: an Amazon EventBridge event wraps the message: raw message delivery is needed"
                " (set the target's InputPath to $.detail)"
            )
        case {"eventSource": str(source)} if source.startswith("aws:"):
            return (
                "body: Amazon EventBridge Pipes passed on its source's whole record: raw message delivery is needed"
                " (set the pipe's InputTemplate to the message, such as <$.body>)"
            )
    return None


def named_incidents(body: str) -> set[str]:
    """Return the incidents that a body names: its own if it is an envelope, or those of the envelopes that it wraps.

    Empty for a body that is not JSON.
    """
    try:
        value = parse_json(body)
    except JsonError:
        return set()
    return set(_named(value, _LEVELS))


def _named(value: Any, levels: int) -> Iterator[str]:
    if levels == 0:
        return
    if isinstance(value, MAPPING):
        incident_id = value.get(_NAME)
        if isinstance(incident_id, str):
            yield incident_id
            return
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from _named(child, levels - 1)
    elif isinstance(value, str) and _NAME in value:
        try:
            yield from _named(parse_json(value), levels - 1)
        except JsonError:  # prose
            return
