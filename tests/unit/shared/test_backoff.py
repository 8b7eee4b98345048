"""Delays between retries; no test waits for one."""

from functools import partial
from itertools import islice

from recommendation_shared.backoff import full_jitter

jitter = partial(full_jitter, base=0.05, cap=2.0)


def test_ceilings_double_up_to_the_cap() -> None:
    """The largest random number shows the ceilings."""
    assert list(islice(jitter(lambda: 1.0), 9)) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_jitter_is_full() -> None:
    """A delay can be anything from zero to the ceiling."""
    assert list(islice(jitter(lambda: 0.0), 3)) == [0.0, 0.0, 0.0]
    assert next(jitter(lambda: 0.5)) == 0.025


def test_delays_are_endless_by_default() -> None:
    """Only a deadline ends the retries, and the ceiling never overflows."""
    assert next(islice(jitter(lambda: 1.0), 100_000, None)) == 2.0


def test_there_is_no_delay_after_the_last_attempt() -> None:
    """Four attempts have three delays between them."""
    assert len(list(jitter(lambda: 1.0, attempts=4))) == 3
    assert list(jitter(lambda: 1.0, attempts=1)) == []
