"""The producer of a host in which our own modules do not load: it refuses and counts every envelope, and says why.

For instance, a backport of `typing` or `dataclasses` among the host's packages hides the standard library's module. The
host then runs as if there were no producer. So this module imports nothing that could fail, not even `typing`.
"""

import sys

REASON = "client_unavailable"  # that of `_balance`, which may not load


class Outcome:
    """What `enqueue` did: nothing. `detail` names the exception."""

    accepted = False
    reason = REASON
    recommendation_id = None

    def __init__(self, detail: str) -> None:
        self.detail = detail


class Balance:
    """How many envelopes were handed over; all of them are dropped."""

    sent = 0
    pending = 0

    def __init__(self, count: int) -> None:
        self.accepted = count
        self.dropped = {REASON: count} if count else {}


class RecommendationProducer:
    """Has the methods of the real one, and takes any arguments."""

    detail = ""

    def __init__(self, *_: object, **__: object) -> None:
        self._count = 0

    @classmethod
    def from_env(cls, **_: object) -> "RecommendationProducer":
        """Create a producer."""
        return cls()

    def enqueue(self, **_: object) -> Outcome:
        """Count one envelope."""
        self._count += 1
        return Outcome(self.detail)

    def enqueue_state(self, _: object) -> list[Outcome]:
        """Count the state as one envelope: it cannot be read."""
        return [self.enqueue()]

    @property
    def balance(self) -> Balance:
        """Return the counts."""
        return Balance(self._count)

    def flush(self, *_: object, **__: object) -> Balance:
        """Return the counts."""
        return self.balance

    async def aflush(self, *_: object, **__: object) -> Balance:
        """Return the counts."""
        return self.balance

    close = flush

    def lambda_handler(self, handler: object) -> object:
        """Return the handler unchanged: there is nothing to drain."""
        return handler


def persisting(graph_builder: object, *_: object, **__: object) -> object:
    """Return the graph unchanged."""
    return graph_builder


class recording:  # noqa: N801 - the real one is a function that makes a context manager, which takes a module
    """Surrounds agents whose outputs nobody records."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, *_: object) -> None:
        """End the block."""


def records(**_: object) -> object:
    """Return a decorator that returns the function unchanged."""
    return lambda function: function


def replace(package: dict[str, object], error: Exception) -> None:
    """Give the package's namespace these classes, and log the reason once."""
    RecommendationProducer.detail = f"the producer does not load: {type(error).__name__}: {error}"[:300]
    package.update(Outcome=Outcome, Balance=Balance, RecommendationProducer=RecommendationProducer)
    # Not the adapters: the frameworks that they are for would not load either.
    for name, contents in (
        ("langgraph", {"persisting": persisting}),
        ("recording", {"recording": recording, "records": records}),
    ):
        module = type(sys)(f"recommendation_producer.{name}")
        module.__dict__.update(contents)
        package[name] = sys.modules[module.__name__] = module
    try:
        import logging  # noqa: PLC0415 - may be what does not load

        logging.getLogger("recommendation_producer").warning(
            "recommendations will be dropped, not persisted: %s", RecommendationProducer.detail
        )
    except Exception:  # noqa: BLE001, S110 - each outcome has the reason
        pass
