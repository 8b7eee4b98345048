"""The contract's pure Python parts, on literal values.

`test_python_3_14.py` runs this file a second time, under CPython 3.14. So it imports nothing compiled.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import islice

import pytest

from recommendation_shared import limits
from recommendation_shared.backoff import full_jitter
from recommendation_shared.envelope import field_rules
from recommendation_shared.envelope.identity import expiry, parse_instant, recommendation_id, sort_key
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.numbers import number_text
from recommendation_shared.item.size import item_size
from recommendation_shared.queue.batches import in_batches
from recommendation_shared.settings import Settings, SettingsError

NOON = "2026-01-31T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31 12:00:00", NOON),
        ("2026-01-31T13:30:00+01:30", NOON),
        ("2026-01-31T12:00:00.3323089Z", "2026-01-31T12:00:00.332308Z"),
    ],
)
def test_instants_are_normalised_to_the_sort_key(text: str, key: str) -> None:
    """Python versions differ in what `datetime.fromisoformat` accepts; the contract does not."""
    assert sort_key(parse_instant(text)) == key


@pytest.mark.parametrize(
    "text", ["2026-W05-6T12:00:00Z", "2026-01-31T24:00:00Z", "20260131T120000Z", "2026-02-30T12:00:00Z", "0001-01-01"]
)
def test_other_iso_8601_forms_are_refused(text: str) -> None:
    """Newer Python versions parse some of these."""
    with pytest.raises(ValueError, match="must be an RFC 3339 time"):
        parse_instant(text)


def test_aware_and_naive_datetimes_are_read_as_utc() -> None:
    """A naive time counts as UTC."""
    assert sort_key(parse_instant(datetime(2026, 1, 31, 12))) == NOON  # noqa: DTZ001 - a naive time is the subject
    assert sort_key(parse_instant(datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))))) == NOON
    assert sort_key(parse_instant(datetime(2026, 1, 31, 12, tzinfo=UTC))) == NOON


def test_recommendation_id_uses_the_shortest_instant() -> None:
    """Trailing zeros of the fraction, and an empty fraction, are left out."""
    known = "rec-incident-123-signal-intelligence-2026-01-31T12:00:00"
    assert recommendation_id("incident-123", "signal-intelligence", NOON) == f"{known}Z"
    fraction = NOON.replace(".000000", ".332300")
    assert recommendation_id("incident-123", "signal-intelligence", fraction) == f"{known}.3323Z"


def test_expiry_derives_from_the_timestamp() -> None:
    """A redelivered message produces the same item."""
    assert expiry(NOON, 90) == 1_769_860_800 + 90 * 86_400
    assert expiry(NOON, None) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (0.1 + 0.2, "0.30000000000000004"),
        (10**37, "1" + "0" * 37),
        (10**38, "1E+38"),
        (1e-130, "0." + "0" * 129 + "1"),
        (Decimal("1.50"), "1.5"),
        (2**64, "18446744073709551616"),
    ],
)
def test_equal_numbers_have_one_text(number: float | Decimal, text: str) -> None:
    """The text is what DynamoDB stores, so a digest survives the table."""
    assert number_text(number) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e-131, 1e126, 10**38 + 1, Decimal("NaN")])
def test_numbers_dynamodb_cannot_hold_have_no_text(number: float | Decimal) -> None:
    """They are stored as strings."""
    assert number_text(number) is None


def test_canonical_text_sorts_keys_and_keeps_exact_numbers() -> None:
    """It parses as JSON, and non-ASCII text stays readable."""
    value = {"b": [1.0, None, True, float("inf")], "a": {"ü": 1e-7, "z": '"'}}
    text = '{"a":{"z":"\\"","ü":0.0000001},"b":[1,null,true,"Infinity"]}'
    assert canonical_text(value) == text
    assert json.loads(text)["a"]["ü"] == 1e-7


def test_item_size_follows_dynamodbs_rule() -> None:
    """Names and values count in bytes of UTF-8, numbers by pairs of digits."""
    assert item_size({"ä": {"S": "é€"}}) == 2 + 5
    assert item_size({"n": {"N": "-123.4"}}) == 1 + 5
    assert item_size({"l": {"L": [{"NULL": True}]}, "m": {"M": {}}}) == 1 + 3 + 1 + 1 + 1 + 3


@pytest.mark.parametrize("value", ["Signal", "a--b", "-a", "a_b", "", "a" * (limits.AGENT_TYPE_BYTES + 1), 1])
def test_agent_type_must_be_kebab_case(value: object) -> None:
    """It is part of the key."""
    with pytest.raises(ValueError, match="must"):
        field_rules.agent_type(value)


def test_field_rules_refuse_values_that_only_look_equal() -> None:
    """`True` is not a number of days, and 1.0 is not a schema version."""
    assert field_rules.retention(90) == 90
    assert field_rules.is_probability(0.87)
    assert not field_rules.is_probability(1e-200)
    for rule, value in ((field_rules.retention, True), (field_rules.schema_version, 1.0)):
        with pytest.raises(ValueError, match="must be"):
            rule(value)


def test_settings_come_from_the_environment() -> None:
    """An error names its variable."""
    assert Settings.from_env({}).table_name == "opx-agent-recommendations"
    assert Settings.from_env({"RETENTION_DAYS": "30"}).retention_days == 30
    with pytest.raises(SettingsError, match="RETENTION_DAYS"):
        Settings.from_env({"RETENTION_DAYS": "soon"})


def test_batches_respect_both_of_sqs_limits() -> None:
    """At most 10 entries and 1 MiB go into one request, in order."""
    sizes = [*[1] * 12, limits.SQS_REQUEST_BYTES, 2, limits.SQS_REQUEST_BYTES - 1]
    batches = list(in_batches(sizes, lambda size: size))
    assert [len(batch) for batch in batches] == [10, 2, 1, 1, 1]
    assert [size for batch in batches for size in batch] == sizes


def test_retry_delays_stay_below_a_doubling_ceiling() -> None:
    """Full jitter draws each delay from zero to that ceiling."""
    assert list(islice(full_jitter(lambda: 1.0, base=0.1, cap=0.5), 5)) == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert list(full_jitter(lambda: 0.0, base=0.1, cap=0.5, attempts=3)) == [0.0, 0.0]
