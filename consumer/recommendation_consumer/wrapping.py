"""Recognise messages that another AWS service has wrapped on their way, which is a fault of the wiring."""

from collections.abc import Mapping
from typing import Any

from recommendation_shared.envelope.field_rules import MAPPING
from recommendation_shared.exact_json.parse import JsonError, parse_json


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
