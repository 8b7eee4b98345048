"""The keeper's process: the real handler, for events from standard input, one a line; so are its responses.

Run as `python -m tests.chaos.pipeline.keeper_process SECONDS`, the function's timeout, with the environment from
`processes.environment`.
"""

import json
import os
import sys

from recommendation_consumer.keeper.handler import handler
from tests.chaos.pipeline.consumer_process import Invocation


def main() -> None:
    """Respond to each event, with null if the function raises."""
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # for the metrics and the log
    for line in sys.stdin:
        try:
            response = handler(json.loads(line), Invocation(float(sys.argv[1])))
        except Exception as error:  # noqa: BLE001 - whatever the function raises, Lambda delivers the batch again
            sys.stderr.write(f"the keeper raised {type(error).__name__}\n")
            response = None
        responses.write(json.dumps(response) + "\n")
        responses.flush()


if __name__ == "__main__":
    main()
