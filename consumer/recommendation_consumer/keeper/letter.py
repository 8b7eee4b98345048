"""The dead letter of an item that was replaced, edited or deleted: its envelope, and what the stream says about it."""

from datetime import timedelta
from typing import Final

from recommendation_consumer.keeper.change import Change, Image
from recommendation_consumer.keeper.judgement import Judgement, changed_attributes, is_intact
from recommendation_consumer.message import Message
from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.message_body import message_body
from recommendation_shared.queue.dead_letter import DELETED, DETAIL_BYTES, ID_CONFLICT, TAMPERED

REASONS: Final = {
    Judgement.OVERWRITTEN: ID_CONFLICT,
    Judgement.TAMPERED: TAMPERED,
    Judgement.DELETED: DELETED,
}
_WHAT: Final = {
    ID_CONFLICT: "recommendationId: its item was replaced by other content",
    TAMPERED: "contentDigest: its item was edited by hand",
    DELETED: "recommendationId: its item was deleted before it expired",
}
_ATTRIBUTE_BYTES: Final = 2 * DETAIL_BYTES  # upper bound for a letter's attributes: the detail and three short ones


class LetterTooLargeError(ValueError):
    """The item's envelope exceeds 1 MiB, because control characters take six bytes in JSON and one in the table."""


def kept_letter(change: Change, reason: str) -> Poison:
    """Return the dead letter that keeps a change's old item. The change's event ID identifies it.

    Its body is the envelope that the consumer stores as that item, so redriving it by name offers the item again. The
    letter of an item that was no valid recommendation says so. Raises `LetterTooLargeError`, and `ValueError` for an
    unknown DynamoDB type.
    """
    old = change.old or {}
    body = message_body(old)
    if len(body) > limits.SQS_REQUEST_BYTES - _ATTRIBUTE_BYTES:
        raise LetterTooLargeError(f"The envelope of event {change.event_id} exceeds SQS's limit of 1 MiB")
    message = Message(change.event_id, body.decode(), round(change.at * 1000), change.stream_arn)
    return Poison(message, reason, _detail(change, reason) + _flaws(old, body) + _differences(change))


def _detail(change: Change, reason: str) -> str:
    """Return what happened, when and by whom, as far as the stream says. Never quotes a value."""
    when = (EPOCH + timedelta(seconds=round(change.at))).isoformat().replace("+00:00", "Z")
    who = f"by {change.principal}" if change.principal else "the stream does not say by whom"
    return f"{_WHAT[reason]} at {when}, {who}"


def _flaws(old: Image, body: bytes) -> str:
    """Return why the letter may not be what an agent said, or why it cannot be redriven."""
    flaws = "" if is_intact(old) else "; it had been edited before, because its own digest does not fit"
    try:
        read_envelope(body)
    except EnvelopeError as error:
        flaws += f"; it is not a valid envelope ({error.reason}: {error.detail})"
    return flaws


def _differences(change: Change) -> str:
    return "" if change.new is None else f"; changed: {', '.join(changed_attributes(change))}"
