"""Start and kill the pipeline's processes: one producer, and consumers that are killed at random and replaced."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import IO, Final

from tests.chaos.pipeline.engines.start import TABLE, Engines
from tests.chaos.pipeline.plan import Plan
from tests.support.no_account import NO_ACCOUNT

_YOUNG: Final = 2.0  # seconds; a younger consumer is still importing, and killing it would prove nothing
_YEAR: Final = 365 * 86_400  # seconds
_JUMPS: Final = (_YEAR, -_YEAR, 0)  # of the consumers' clocks
TIMED_OUT: Final = "killed at the function's timeout"
CRASHED: Final = "crashed"


def environment(engines: Engines, proxy_url: str) -> dict[str, str]:
    """Return the whole environment of a pipeline process: AWS is the proxy, and the user's account is out of reach."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        **NO_ACCOUNT,
        "AWS_ENDPOINT_URL": proxy_url,
        "CHAOS_SQS_URL": engines.sqs_url,
        "RECOMMENDATIONS_QUEUE_URL": engines.queue_url,
        "RECOMMENDATIONS_DLQ_URL": engines.dlq_url,
        "RECOMMENDATIONS_TABLE": TABLE,
        "INCIDENT_METRICS": "false",  # which would fill most of the logs
        "PYTHONUNBUFFERED": "1",  # so that a killed consumer's output is complete
    }


class Processes:
    """Owns the processes. `ends` counts the consumers that ended without being killed here, by how they ended."""

    def __init__(self, plan: Plan, env: dict[str, str]) -> None:
        self._plan = plan
        self._env = env
        self._logs: list[IO[bytes]] = []
        self.killed = 0
        self.ends: Counter[str] = Counter()
        self._chance = Random(f"{plan.seed}/kills")
        self._producer = self._start("producer_process", "producer.log")
        self._consumers = {number: self._start_consumer(number) for number in range(plan.consumers)}
        self._started: dict[int, float] = dict.fromkeys(self._consumers, 0.0)
        self._next_kill = self._interval()

    @property
    def has_sent(self) -> bool:
        """Whether the producer has finished. Raises `RuntimeError` if it failed."""
        code = self._producer.poll()
        if code:
            raise RuntimeError(f"the producer process ended with exit code {code}; see producer.log")
        return code == 0

    @property
    def journaled(self) -> int:
        """The length in bytes of the producer's journal, which grows as long as it makes progress."""
        journal = Path(self._plan.folder, "journal.jsonl")
        return journal.stat().st_size if journal.exists() else 0

    def tick(self, now: float, done: int) -> None:
        """Replace the consumers that ended, and kill one when a kill is due.

        `now` is in seconds since the start. `done` counts handled messages and decides when a kill is due: if time
        did, consumers on a busy machine would be killed before they had handled anything.
        """
        for number, process in self._consumers.items():
            if process.poll() is not None:
                if process.returncode != -signal.SIGKILL:
                    self.ends[TIMED_OUT if process.returncode == -signal.SIGALRM else CRASHED] += 1
                self._consumers[number] = self._start_consumer(number)
                self._started[number] = now
        if done >= self._next_kill:
            grown = [number for number in self._consumers if now - self._started[number] > _YOUNG]
            if grown:
                self._consumers[self._chance.choice(grown)].kill()
                self.killed += 1
            self._next_kill = done + self._interval()

    def kill(self, number: str) -> None:
        """Kill the consumer with this number, in the middle of a call; it is replaced at the next tick."""
        if number.isdecimal():
            self._consumers[int(number)].kill()

    def end(self) -> None:
        """Kill all processes that still run."""
        for process in (self._producer, *self._consumers.values()):
            process.kill()
            process.wait()
        for log in self._logs:
            log.close()

    def _interval(self) -> float:
        return self._chance.uniform(0.5, 1.5) * self._plan.messages_per_kill

    def _start_consumer(self, number: int) -> "subprocess.Popen[bytes]":
        env = {"AWS_SDK_UA_APP_ID": f"consumer-{number}", "CHAOS_CLOCK_JUMP": str(_JUMPS[number % len(_JUMPS)])}
        return self._start("consumer_process", f"consumer-{number}.log", **env)

    def _start(self, module: str, log_name: str, **env: str) -> "subprocess.Popen[bytes]":
        log = Path(self._plan.folder, log_name).open("ab")  # noqa: SIM115 - closed by `end`
        self._logs.append(log)
        command = [sys.executable, "-m", f"tests.chaos.pipeline.{module}", self._plan.to_json()]
        return subprocess.Popen(
            command, env={**self._env, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
