"""Delays between retries, without waiting for any."""

from functools import partial
from itertools import islice

from recommendation_shared.backoff import full_jitter

jitter = partial(full_jitter, base=0.05, cap=2.0)


def test_ceilings_double_up_to_the_cap() -> None:
    """With the largest random number."""
    assert list(islice(jitter(lambda: 1.0), 9)) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_jitter_is_full() -> None:
    """A delay may be anything from nothing to the ceiling."""
    assert list(islice(jitter(lambda: 0.0), 3)) == [0.0, 0.0, 0.0]
    assert next(jitter(lambda: 0.5)) == 0.025


def test_delays_never_end_by_themselves() -> None:
    """A deadline ends the retries; the ceiling does not overflow on the way."""
    assert next(islice(jitter(lambda: 1.0), 100_000, None)) == 2.0


def test_between_n_attempts_there_are_n_minus_one_delays() -> None:
    """Nobody waits after the last attempt."""
    assert len(list(jitter(lambda: 1.0, attempts=4))) == 3
    assert list(jitter(lambda: 1.0, attempts=1)) == []
