"""Write a message body: validate and serialise one recommendation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NotRequired, TypedDict, Unpack

from recommendation_shared.envelope import field_rules
from recommendation_shared.envelope.errors import INVALID_ENVELOPE, EnvelopeError
from recommendation_shared.envelope.fields import DEFAULTS, FIELDS, MARKED, broken_rules, python_name
from recommendation_shared.envelope.identity import recommendation_id
from recommendation_shared.exact_json.dump import dump_checked, dump_converted, dump_plain
from recommendation_shared.exact_json.plain import to_plain
from recommendation_shared.import_guard import importing


class EnvelopeArguments(TypedDict):
    """The arguments of `write_envelope` and of the producer's `enqueue`: one recommendation.

    `timestamp` is the instant at which the agent completed, as RFC 3339 text or a datetime; without an offset, it is
    read as UTC. `confidence` is a number from 0 to 1; anything else is kept as text in `metadata`. `retention` is in
    days, from 1 to 36,500; None keeps the item indefinitely. Each ID is at most 1,024 bytes of UTF-8.
    """

    incident_id: str
    execution_id: str
    agent_type: str
    timestamp: str | datetime
    recommendation: Mapping[str, Any]
    confidence: NotRequired[float | Decimal | None]
    reasoning: NotRequired[str]
    citations: NotRequired[Sequence[Mapping[str, Any]] | None]
    metadata: NotRequired[Mapping[str, Any] | None]
    retention: NotRequired[int | None]


class Message:
    """An envelope ready to send. `body` is UTF-8 JSON that SQS accepts, except for its size, which is not checked."""

    __slots__ = ("body", "recommendation_id")

    def __init__(self, recommendation_id: str, body: bytes) -> None:
        self.recommendation_id: Final = recommendation_id
        self.body: Final = body


def _required() -> Any:
    raise KeyError


_ARGUMENTS: Final = tuple(
    (python_name(name), name, field.rule, field.default or _required)
    for name, field in FIELDS.items()
    if name not in {"schemaVersion", "recommendationId"}  # the caller does not choose these
)
_NUMBERS: Final = (float, int)
_NAMES: Final = {argument: name for argument, name, _, _ in _ARGUMENTS}


def write_envelope(**arguments: Unpack[EnvelopeArguments]) -> Message:
    """Validate and serialise one recommendation. Later changes to the arguments do not affect the result.

    Raises `EnvelopeError` if a field breaks the contract, and `TypeError` for an unknown argument.
    """
    fields = valid_fields(**arguments)
    return Message(fields["recommendationId"], body_of(fields))


def valid_fields(**arguments: Unpack[EnvelopeArguments]) -> dict[str, Any]:
    """Return the envelope's fields by their names in JSON, the ID among them. Their values are those that were given.

    Raises what `write_envelope` raises.
    """
    given: dict[str, Any] = {**arguments}
    if not given.keys() <= _NAMES.keys():
        raise TypeError(f"unexpected arguments: {', '.join(sorted(given.keys() - _NAMES.keys()))}")
    for name in ("citations", "metadata"):
        if name in given and given[name] is None:
            del given[name]
    _set_odd_confidence_aside(given)
    fields: dict[str, Any] = {"schemaVersion": field_rules.SCHEMA_VERSION, "recommendationId": ""}
    try:
        for argument, name, rule, default in _ARGUMENTS:
            fields[name] = rule(given[argument] if argument in given else default())
    except (KeyError, ValueError):
        raise EnvelopeError(INVALID_ENVELOPE, _broken_rules(given)) from None
    fields["recommendationId"] = recommendation_id(fields["incidentId"], fields["agentType"], fields["timestamp"])
    return fields


def body_of(fields: dict[str, Any]) -> bytes:
    """Serialise what `valid_fields` returned."""
    body = dump_plain(fields)
    return converted_body(fields) if body is None else body


def body_of_plain(fields: dict[str, Any]) -> bytes:
    """Serialise what `valid_fields` returned, if it `is_plain`."""
    body = dump_checked(fields)
    return converted_body(fields) if body is None else body


def converted_body(fields: dict[str, Any]) -> bytes:
    """Serialise fields that are not plain JSON; what is only marked in its place is listed in the metadata."""
    plain, marks = to_plain(fields)
    for name in ("recommendation", "metadata"):  # a host's mapping that raises became the text of a mark
        plain[name] = _as_object(plain[name], name)
    plain["citations"] = [_as_object(citation, "citation") for citation in plain["citations"]]
    if marks:
        plain["metadata"][MARKED] = [vars(mark) for mark in marks]
    return dump_converted(plain)


def _as_object(value: Any, name: str) -> Any:
    return value if isinstance(value, dict) else {name: value}


def _set_odd_confidence_aside(given: dict[str, Any]) -> None:
    confidence = given.get("confidence")
    if confidence is None:
        return
    if type(confidence) not in _NUMBERS:  # a Decimal, or a scalar of numpy
        given["confidence"] = confidence = to_plain(confidence)[0]
    if not field_rules.is_probability(confidence):
        with importing():
            from recommendation_shared.envelope.raw_confidence import set_aside  # noqa: PLC0415 - an ordinary envelope does not need it

        given.update(set_aside(given))


def _broken_rules(given: Mapping[str, Any]) -> str:
    present = {name: given[argument] for argument, name in _NAMES.items() if argument in given}
    defaults = {name: default() for name, default in DEFAULTS.items()}
    return broken_rules({"schemaVersion": field_rules.SCHEMA_VERSION, "recommendationId": "", **defaults, **present})
