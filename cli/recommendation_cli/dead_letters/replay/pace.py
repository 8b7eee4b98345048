"""How fast a replay may send."""

from collections.abc import Callable
from dataclasses import dataclass

from recommendation_shared import limits


@dataclass
class Pace:
    """At most `rate` messages a second; None means as fast as SQS responds. The clock counts seconds."""

    rate: int | None
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    def __post_init__(self) -> None:
        """Let the first messages go at once."""
        self._next = self.monotonic()

    @property
    def batch_size(self) -> int:
        """How many messages may be sent together: no more than the rate allows in a second."""
        return min(self.rate or limits.SQS_BATCH_ENTRIES, limits.SQS_BATCH_ENTRIES)

    def wait(self, messages: int) -> None:
        """Wait until that many messages (at most `batch_size`) may be sent."""
        now = self.monotonic()
        if self._next > now:
            self.sleep(self._next - now)
        if self.rate is not None:
            self._next = max(self._next, now) + messages / self.rate
