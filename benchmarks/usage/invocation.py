"""Invoke the consumer as Lambda does: `python -m benchmarks.usage.invocation EVENT_FILE RESULT_FILE COUNT`."""

import json
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.support.lambda_runtime import LambdaContext


def main(event_file: str, result_file: str, invocations: str) -> None:
    """Invoke the handler repeatedly with one event; write its response and its CPU times to the result file."""
    event = json.loads(Path(event_file).read_text())
    from recommendation_consumer.handler import handler  # noqa: PLC0415 - its import is part of the cold start

    context = LambdaContext(remaining_ms=30_000)
    cpu, cold = [], 0.0
    for _ in range(int(invocations)):
        before = time.process_time()
        response = handler(event, context)
        cpu.append((time.process_time() - before) * 1000)
        cold = cold or time.process_time() * 1000  # since the interpreter started: a sandbox pays for that too
    result = {"response": response, "cold_cpu_ms": cold, "warm_cpu_ms": median(cpu[1:] or cpu)}
    Path(result_file).write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
