"""Hypothesis strategies for the contract: JSON values, instants, and the arguments of an envelope."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Two days short of the calendar's ends, so that no offset crosses them.
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001

# Numbers as the exact parser returns them: Decimal for what a float cannot hold.
decimals = st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 10**45),
    st.integers(-160, 160),
    st.sampled_from([0, 1]),
)
numbers = st.one_of(st.integers(-(10**45), 10**45), st.floats(), decimals)
leaves = st.one_of(st.none(), st.booleans(), text, numbers)
json_values: st.SearchStrategy[Any] = st.recursive(
    leaves, lambda child: st.lists(child, max_size=4) | st.dictionaries(text, child, max_size=4), max_leaves=15
)
json_objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(text, json_values, max_size=4)
identifiers = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
agent_types = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)

# The arguments of a caller: JSON values of built-in Python types.
plain_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), text, st.integers(-(10**45), 10**45), st.floats()),
    lambda child: st.lists(child, max_size=4) | st.dictionaries(text, child, max_size=4),
    max_leaves=15,
)
plain_objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(text, plain_values, max_size=4)
envelope_fields = st.fixed_dictionaries(
    {
        "incident_id": identifiers,
        "execution_id": identifiers,
        "agent_type": agent_types,
        "timestamp": instants,
        "recommendation": plain_objects,
        "confidence": st.one_of(st.none(), st.floats(0, 1), st.floats(), st.integers(), text),
        "reasoning": text,
        "citations": st.lists(plain_objects, max_size=3),
        "metadata": plain_objects,
        "retention": st.one_of(st.none(), st.integers(1, 36_500)),
    }
)
