"""The fields of an envelope: the single list of their names, rules and defaults."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.envelope import field_rules


class Field:
    """A field's rule, which returns the normalised value or raises `ValueError`, and its default.

    `default` creates the value of an absent field. It is None if the field is required.
    """

    def __init__(self, rule: Callable[[Any], Any], default: Callable[[], Any] | None = None) -> None:
        self.rule: Final = rule
        self.default: Final = default


# The keys are the fields' names in the message and in the table.
FIELDS: Final[Mapping[str, Field]] = {
    "schemaVersion": Field(field_rules.schema_version),
    "recommendationId": Field(field_rules.text),
    "incidentId": Field(field_rules.identifier),
    "executionId": Field(field_rules.identifier),
    "agentType": Field(field_rules.agent_type),
    "timestamp": Field(field_rules.timestamp),
    "recommendation": Field(field_rules.json_object),
    "confidence": Field(field_rules.confidence, lambda: None),
    "reasoning": Field(field_rules.text, str),
    "citations": Field(field_rules.json_objects, list),
    "metadata": Field(field_rules.json_object, dict),
    "retention": Field(field_rules.retention, lambda: limits.RETENTION_DAYS),
}
RULES: Final[Mapping[str, Callable[[Any], Any]]] = {name: field.rule for name, field in FIELDS.items()}
DEFAULTS: Final[Mapping[str, Callable[[], Any]]] = {
    name: field.default for name, field in FIELDS.items() if field.default is not None
}
# Recomputed from the other fields whenever an item is encoded. A message's values under these names, and those of
# `NOT_CONTENT`, are ignored.
TTL: Final = "ttl"  # when the item expires, in epoch seconds
DIGEST: Final = "contentDigest"  # SHA-256 (hex) of all other fields
DERIVED_FIELDS: Final = frozenset({TTL, DIGEST})
# Set by operators beside the content (docs/decisions/0023): no message can set or undo them, and no digest covers them.
HOLD: Final = "hold"  # why, by whom and since when the item must stay
ERASURE: Final = "erasure"  # by whom and when it was about to be deleted
NOT_CONTENT: Final = DERIVED_FIELDS | {HOLD, ERASURE}  # no fields of an envelope
# Beside a document that `recs` prints or exports: what people said about it (docs/decisions/0024). It is in no item,
# and a message's value under this name is ignored, or it would pass for theirs.
REVIEWS: Final = "reviews"
MARKED: Final = "notRepresented"  # in `metadata`: path and text of each value that JSON cannot represent
# In `metadata`: the X-Ray trace header of the message. It is not part of the content that the digest covers, because
# the same output may be sent by two invocations.
TRACE_HEADER: Final = "awsTraceHeader"
RAW_CONFIDENCE: Final = "rawConfidence"  # in `metadata`: the text of a confidence that is not a number from 0 to 1


def python_name(name: str) -> str:
    """Return a field's name as a Python argument or attribute: `incident_id` for `incidentId`."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def broken_rules(fields: Mapping[str, Any]) -> str:
    """Return the names of the invalid fields and the rules that they break; values are never quoted."""
    broken = []
    for name, rule in RULES.items():
        try:
            rule(fields[name])
        except KeyError:
            broken.append(f"{name}: Field required")
        except ValueError as error:
            broken.append(f"{name}: {error}")
    return "; ".join(broken)
