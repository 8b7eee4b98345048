"""Which outputs this process has handed over lately, so that a copy without its timestamp is not taken for another."""

from collections.abc import Callable
from typing import Any, Final

from recommendation_producer._balance import Outcome
from recommendation_producer._executor_state.content import Content, adds_nothing, same_but_for_timestamp
from recommendation_producer._executor_state.instants import SOURCE
from recommendation_producer._executor_state.recommendations import FoundOutput

# Of the latest agents in the latest executions, at about 1 KiB each. A run has seven.
CAPACITY: Final = 512


class _Earlier:
    def __init__(self, content: Content, timestamp: Any, source: str | None, outcome: Outcome) -> None:
        self.content: Final = content
        self.timestamp: Final = timestamp
        self.source: Final = source
        self.outcome: Final = outcome


class HandedOver:
    """Keeps the instant of an agent's latest output in an execution, for copies of it.

    Takes no lock, since finalizers and signal handlers may enqueue: each change is one step of the interpreter's.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str, str], _Earlier] = {}

    def enqueue(self, found: FoundOutput, enqueue: Callable[..., Outcome]) -> Outcome:
        """Enqueue an output that was found, at the instant under which it or its original was enqueued before."""
        fields, content = found.fields, found.content
        if content is None:
            return enqueue(**fields)
        execution = (fields["incident_id"], fields["execution_id"], fields["agent_type"])
        earlier = self._latest.get(execution)
        if earlier is not None and SOURCE in fields["metadata"] and adds_nothing(content, earlier.content):
            if not same_but_for_timestamp(content, earlier.content):
                return earlier.outcome  # a copy of a part; under the same ID, it would be a conflict
            fields = _at_instant_of(earlier, fields)
        outcome = enqueue(**fields)
        if outcome.accepted:
            self._latest.pop(execution, None)
            self._latest[execution] = _Earlier(content, fields["timestamp"], fields["metadata"].get(SOURCE), outcome)
            self._forget_oldest()
        return outcome

    def _forget_oldest(self) -> None:
        while len(self._latest) > CAPACITY:
            try:
                self._latest.pop(next(iter(self._latest)), None)
            except RuntimeError:  # another thread has changed it meanwhile; it also forgets the oldest
                return


def _at_instant_of(earlier: _Earlier, fields: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in fields["metadata"].items() if name != SOURCE}
    if earlier.source is not None:
        metadata[SOURCE] = earlier.source
    return {**fields, "timestamp": earlier.timestamp, "metadata": metadata}
