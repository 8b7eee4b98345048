"""Frequencies and ages in words."""

import pytest

from recommendation_cli.screen.words import age, times


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (times(1), "once"),
        (times(2), "2 times"),
        (age(0), "0s"),
        (age(59.9), "59s"),
        (age(3600), "1h"),
        (age(93_600), "1d 2h"),
        (age(-5), "0s"),
    ],
)
def test_frequencies_and_ages_in_words(words: str, expected: str) -> None:
    """They read as people write them."""
    assert words == expected
