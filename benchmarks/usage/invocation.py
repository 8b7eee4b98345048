"""Invoke the consumer as Lambda does: `python -m benchmarks.usage.invocation EVENT_FILE RESULT_FILE COUNT`."""

import json
import sys
import time
from pathlib import Path
from statistics import median


class _Context:
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def main(event_file: str, result_file: str, invocations: str) -> None:
    """Invoke the handler that often with the same event, and write what it answered and the CPU time that it took."""
    event = json.loads(Path(event_file).read_text())
    from recommendation_consumer.handler import handler  # noqa: PLC0415 - its import is a part of the cold start

    cpu, cold = [], 0.0
    for _ in range(int(invocations)):
        before = time.process_time()
        answer = handler(event, _Context())
        cpu.append((time.process_time() - before) * 1000)
        cold = cold or time.process_time() * 1000  # since the interpreter's start: a sandbox pays for that too
    result = {"answer": answer, "cold_cpu_ms": cold, "warm_cpu_ms": median(cpu[1:] or cpu)}
    Path(result_file).write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
