"""The demo's executor as its own environment runs it, with the layer behind: `python -I … ROOT LAYER DAY [INCIDENT]`.

Runs every recorded execution, or only INCIDENT's, which then sends node by node. Prints a JSON document a line: one for
each execution when it has finished, then one for what was handed over.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from typing import Any, Final

_FLUSH_TIMEOUT: Final = 30.0  # seconds


class CountingProducer:
    """The producer as the executor sees it, which also records the distinct IDs that it accepted."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self.accepted: set[str] = set()
        self.refused: list[str] = []

    def enqueue_state(self, state: object) -> Sequence[Any]:
        """Hand over every agent's output; record what was accepted, and the reason for anything that was not."""
        outcomes: Sequence[Any] = self._producer.enqueue_state(state)
        self.accepted.update(outcome.recommendation_id for outcome in outcomes if outcome.accepted)
        self.refused.extend(str(outcome.reason) for outcome in outcomes if not outcome.accepted)
        return outcomes

    def lambda_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a Lambda handler as the producer does."""
        wrapped: Callable[..., Any] = self._producer.lambda_handler(handler)
        return wrapped


def main() -> None:
    """Run the executions, and print what became of them."""
    root, layer, day, *incidents = sys.argv[1:]
    sys.path.insert(0, root)  # the executor's code, as in /var/task
    sys.path.append(layer)  # as in /opt/python
    import recommendation_producer  # noqa: PLC0415 - it is on the path only now
    from examples.executor.run import ExecutionResult, run_all, run_one  # noqa: PLC0415 - as above

    real = recommendation_producer.RecommendationProducer.from_env()
    producer = CountingProducer(real)
    on_day = date.fromisoformat(day)

    def print_result(result: ExecutionResult) -> None:
        print(json.dumps({"finished": asdict(result)}), flush=True)

    if incidents:
        print_result(run_one(producer, incidents[0], way="per-node", day=on_day))
    else:
        run_all(producer, on_execution=print_result, day=on_day)
    balance = real.close(_FLUSH_TIMEOUT)
    handed_over = {
        "accepted": sorted(producer.accepted),
        "refused": producer.refused,
        "balance": balance._asdict(),
        "packages": {name: version(name) for name in ("langgraph", "boto3")},
        "module": recommendation_producer.__file__,
    }
    print(json.dumps(handed_over), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
