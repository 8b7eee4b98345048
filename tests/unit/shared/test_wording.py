"""Counts in words."""

import pytest

from recommendation_shared.wording import plural


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (plural(1, "dead letter"), "1 dead letter"),
        (plural(0, "dead letter"), "0 dead letters"),
        (plural(1200, "entry", "entries"), "1,200 entries"),
    ],
)
def test_a_count_and_its_noun_agree(words: str, expected: str) -> None:
    """Only one thing is singular, and thousands are separated."""
    assert words == expected
