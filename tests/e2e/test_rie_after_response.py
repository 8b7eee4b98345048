"""Draining after the response, under the real Lambda runtime, whatever happens to the producer meanwhile.

The emulator's log tells the order: RTDONE is the runtime's response, END the moment when the extension is ready, too.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from infra.build.artifacts import LAYER
from tests.support.lambdas.emulator import Sandbox, sandbox, unpack

# What the sandbox does, and in which order. It sends to a queue of its own, whose calls wait for the file GATE.
EXECUTOR: Final = """
import os, time
from datetime import UTC, datetime
from recommendation_producer import RecommendationProducer

MAIN = os.getpid()


class Queue:
    def send_message_batch(self, *, QueueUrl, Entries):
        print("SENDING", flush=True)
        while not os.path.exists(os.environ["GATE"]):
            time.sleep(0.01)
        print(f"SENT {len(Entries)} by {'parent' if os.getpid() == MAIN else 'child'}", flush=True)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


producer = RecommendationProducer.from_env(client_factory=Queue, drain="after_response")


def enqueue(context):
    producer.enqueue(
        incident_id="incident-1",
        execution_id=context.aws_request_id,
        agent_type="consensus",
        timestamp=datetime.now(UTC),
        recommendation={"action": "roll back"},
    )


def own_handler(event, context):
    time.sleep(event.get("seconds", 0.0))
    enqueue(context)
    match event.get("fault"):
        case "exception":
            raise LookupError("the executor's own")
        case "fork":
            child = os.fork()
            if child == 0:
                enqueue(context)
                producer.flush(10.0)
                os._exit(0)
            os.waitpid(child, 0)
        case "sender is dead":
            producer._sender.stop(5.0)
        case "flush raises":
            producer._sender.wait_until_settled = None
    return {"pid": os.getpid(), "balance_before": producer.balance.sent}


early_handler = producer.lambda_handler(own_handler) if os.environ["REGISTERS"] == "early" else None


def handler(event, context):
    if event.get("undecorated"):
        return own_handler(event, context)
    global early_handler
    early_handler = early_handler or producer.lambda_handler(own_handler)
    return early_handler(event, context)
"""
QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
_EVENT: Final = re.compile(
    r"INVOKE START|INVOKE RTDONE|^SENDING|^SENT .*|^END (?=RequestId)|RecommendationDrainFallback(?=\":)", re.MULTILINE
)
PATIENCE: Final = 30.0  # seconds
FUNCTION_TIMEOUT: Final = 30.0  # seconds, after which the emulator ends the sandbox


@dataclass(frozen=True)
class Host:
    """An executor in its sandbox, and the gate that its calls to the queue wait for."""

    running: Sandbox
    gate: Path

    def log(self) -> str:
        """Return what the emulator and the sandbox have written."""
        return self.running.log.read_text()

    def invoke(self, **event: Any) -> tuple[Any, list[str]]:
        """Invoke it; return its answer, and what happened until the sandbox was free again."""
        number = self.log().count("\nSTART RequestId")
        answer = self.running.invoke(event)
        self.until(lambda: self.log().count("\nEND RequestId") > number)
        return answer, self.events()

    def invoke_behind_gate(self, meanwhile: Callable[[], None] = lambda: None, **event: Any) -> tuple[Any, list[str]]:
        """Invoke it, but let its calls to the queue through only after the runtime has responded and `meanwhile`."""
        self.gate.unlink()
        number = self.log().count("\nSTART RequestId")
        with ThreadPoolExecutor() as pool:
            try:
                invoking = pool.submit(self.invoke, **event)
                self.until(lambda: self.log().count("\nSTART RequestId") > number)
                self.until(lambda: {"SENDING", "INVOKE RTDONE"} <= set(self.events()))
                meanwhile()
                assert "SENT 1 by parent" not in self.events()
            finally:
                self.gate.touch()
            return invoking.result(PATIENCE)

    def events(self) -> list[str]:
        """Return what has happened since the last invocation started."""
        log = self.log().rpartition("\nSTART RequestId")[2]
        return [event.strip() for event in _EVENT.findall(log)]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        ends = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < ends:
            time.sleep(0.02)
        assert condition(), self.log()

    def was_never_killed(self) -> bool:
        """Return whether one runtime served all invocations, without a timeout."""
        log = self.log()
        return log.count("(rapid) exec ") == 1 and "timed out" not in log.lower() and "RESET" not in log


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the unpacked layer, Lambda's /opt."""
    return unpack(LAYER, tmp_path_factory.mktemp("opt"))


@pytest.fixture
def start(opt: Path, tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Return a function that starts an executor with an open gate; it must not be killed until the test ends."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "executor.py").write_text(EXECUTOR)
    gate = tmp_path / "gate"
    gate.touch()

    hosts: list[Host] = []
    with ExitStack() as sandboxes:

        def run(registers: str = "early") -> Host:
            environment = {"RECOMMENDATIONS_QUEUE_URL": QUEUE_URL, "GATE": str(gate), "REGISTERS": registers}
            (tmp_path / "rie").mkdir()
            running = sandbox(tmp_path / "rie", tmp_path / "task", "executor.handler", environment, opt)
            hosts.append(Host(sandboxes.enter_context(running), gate))
            return hosts[-1]

        yield run
        assert all(host.was_never_killed() for host in hosts)


IN_ORDER: Final = ["INVOKE START", "INVOKE RTDONE", "SENDING", "SENT 1 by parent", "END"]


def test_response_leaves_before_the_drain_ends_and_the_sandbox_is_free_after_it(start: Callable[..., Host]) -> None:
    """The calls to the queue are let through only after the runtime has responded."""
    host = start()
    for _ in range(3):
        _, events = host.invoke_behind_gate()
        assert sorted(events) == sorted(IN_ORDER)
        assert events.index("INVOKE RTDONE") < events.index("SENT 1 by parent") < events.index("END")
    assert host.log().count("RecommendationDrainFallback") == 0


def test_faults_of_one_invocation_do_not_delay_or_end_the_host(start: Callable[..., Host]) -> None:
    """An exception, a fork, and a handler of the host's own that is not decorated."""
    host = start()
    failed, events = host.invoke_behind_gate(fault="exception")
    assert (failed["errorType"], failed["errorMessage"]) == ("LookupError", "the executor's own")
    assert events[-2:] == ["SENT 1 by parent", "END"]
    _, events = host.invoke(fault="fork")
    assert events.count("SENT 1 by parent") == events.count("SENT 1 by child") == 1
    assert events[-1] == "END"
    _, events = host.invoke(undecorated=True)
    assert events[-1] == "END"
    answer, events = host.invoke()
    assert events[-1] == "END"
    assert answer["balance_before"] >= 2


@pytest.mark.parametrize(
    ("fault", "logged"), [("sender is dead", ""), ("flush raises", "draining after the response failed: TypeError")]
)
def test_broken_producer_does_not_delay_or_end_the_host(fault: str, logged: str, start: Callable[..., Host]) -> None:
    """The extension is ready after each invocation, although it cannot drain."""
    host = start()
    for _ in range(3):
        _, events = host.invoke(fault=fault)
        assert events.count("END") == 1
    assert logged in host.log()


def test_queue_that_does_not_respond_costs_the_budget_and_no_more(start: Callable[..., Host]) -> None:
    """The invocation ends long before the function's timeout; a later one sends everything."""
    host = start()
    host.gate.unlink()
    started = time.monotonic()
    for _ in range(2):
        _, events = host.invoke()
        assert events.index("INVOKE RTDONE") < events.index("END")
    assert time.monotonic() - started < FUNCTION_TIMEOUT / 2
    host.gate.touch()
    assert host.invoke()[1][-1] == "END"
    host.until(lambda: host.log().count("\nSENT") >= 2)


def test_freeze_and_thaw_between_invocations_and_during_a_drain_change_nothing(start: Callable[..., Host]) -> None:
    """After a thaw the drain's budget is over, and the extension is ready at once."""
    host = start()
    answer, _ = host.invoke()

    def freeze(seconds: float) -> None:
        os.kill(answer["pid"], signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(answer["pid"], signal.SIGCONT)

    def freeze_until_the_drain_is_over() -> None:
        freeze(2.5)
        host.until(lambda: host.events()[-1] == "END")

    freeze(1.0)
    assert sorted(host.invoke()[1]) == sorted(IN_ORDER)
    host.invoke_behind_gate(freeze_until_the_drain_is_over)
    host.invoke()
    host.until(lambda: host.log().count("\nSENT") >= 3)


def test_late_registration_falls_back_to_draining_in_the_handler_and_is_counted(start: Callable[..., Host]) -> None:
    """Lambda accepts extensions only while the sandbox initialises, and here the first invocation registers."""
    host = start(registers="late")
    for _ in range(2):
        _, events = host.invoke()
        assert events.index("SENT 1 by parent") < events.index("INVOKE RTDONE") < events.index("END")
        assert "RecommendationDrainFallback" in events
    assert host.log().count("the extension is not registered: ExtensionsApiError: POST register: HTTP 4") == 1
