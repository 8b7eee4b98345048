"""Stand in for Lambda in a host's environment: `python -I invoke.py TASK_ROOT LAYER`.

The host's code comes first on the path, then its packages (the environment's), then the layer. Calls the host's handler
once and prints its result with the balance of each producer.
"""

import asyncio
import gc
import importlib
import inspect
import json
import sys


class Context:
    """Lambda's context object."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return 30_000


def main() -> None:
    """Call the handler."""
    task_root, layer = sys.argv[1:]
    sys.path.insert(0, task_root)
    sys.path.append(layer)
    result = importlib.import_module("handler").handler({"incident": "incident-1"}, Context())
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    producers = [thing for thing in gc.get_objects() if type(thing).__name__ == "RecommendationProducer"]
    for producer in producers:  # what a busy machine does not send within two seconds, a later invocation's drain sends
        producer.flush(20)
    balances = [
        {name: getattr(producer.balance, name) for name in ("accepted", "sent", "dropped", "pending")}
        for producer in producers
    ]
    ours = sys.modules["recommendation_producer"].__file__
    foreign = {name for name in ("aioboto3", "aiobotocore") if name in sys.modules}
    sys.stdout.write(json.dumps({**result, "balances": balances, "layer": ours, "foreign": sorted(foreign)}))


if __name__ == "__main__":
    main()
