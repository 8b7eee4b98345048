"""The local stack as a context manager: everything is up inside it, and nothing is left after it."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.build.zips import build_for_this_python
from infra.errors import BuildError, StackError
from infra.local import background, canary, deployment, ports, shell
from infra.local.differences import apply_all
from infra.local.emulator import CREDENTIALS, REGION, Emulator
from infra.paths import TEMPLATE

# Values of the template's parameters, not differences from it. Production's visibility timeout of minutes would make
# every retry, and so every test and demonstration of one, take as long. The concurrency suits a machine of few cores:
# with ten, a burst spends its time starting function processes.
PARAMETERS = {"VisibilityTimeout": "5", "MaximumConcurrency": "2", "MaxReceiveCount": "5"}


@dataclass(frozen=True)
class LocalStack:
    """A running stack, with everything that a program needs to use it."""

    endpoint_url: str
    region: str
    queue_url: str
    dlq_url: str
    table_name: str
    log_path: Path  # MiniStack's log, including the function's lines
    pid: int
    outputs: dict[str, str] = field(repr=False)  # of the template
    check: Callable[[], None] = field(repr=False)  # raises StackError with the reason once MiniStack has ended

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point AWS SDKs and this project's programs at the stack."""
        return {
            **CREDENTIALS,
            # The user's own files may name another endpoint, or a role to assume.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": ports.HOST,
            "no_proxy": ports.HOST,  # if a shell has both, programs differ in which of them they read
            "RECOMMENDATIONS_QUEUE_URL": self.queue_url,
            "RECOMMENDATIONS_DLQ_URL": self.dlq_url,
            "RECOMMENDATIONS_TABLE": self.table_name,
        }

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return `base` with `env`, and without any other AWS variable, which could lead elsewhere."""
        return shell.environment(self.env, base)

    @property
    def mapping_id(self) -> str:
        """The UUID of the mapping that connects the queue to the consumer."""
        mappings = self.client("lambda").list_event_source_mappings(EventSourceArn=self.outputs["QueueArn"])
        (mapping,) = mappings["EventSourceMappings"]
        return str(mapping["UUID"])

    def client(self, service: str) -> Any:
        """Return a botocore client for the stack, never for a real account."""
        return client(self.endpoint_url, service)


def client(endpoint_url: str, service: str) -> Any:
    """Return a botocore client for the emulator that ignores the user's profile, files and proxies."""
    nowhere = (None, None, os.devnull, None)
    session = botocore.session.Session(
        {"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
    )
    return session.create_client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 2}, proxies={}),
    )


@contextmanager
def local_stack(
    *,
    port: int | None = None,
    keep: bool = False,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[LocalStack]:
    """Start the stack, yield it once it consumes, and leave nothing behind.

    `port` None means `LOCAL_STACK_PORT` or 4566, and 0 any free port. With `keep`, the stack stays up after a block
    that ended well, until `background.stop`; an exception still ends it. `parameters` are the template's.

    Ctrl-C, SIGTERM and errors end the stack cleanly at any moment. Raises `StackError`.
    """
    if port is None:
        port = ports.from_environment()
    other = background.find()
    if other is not None and (keep or other.listens_on(port)):
        raise StackError(f"A local stack is already running: {other}\nStop it with: make down")
    ports.choose(port)  # fail before a build that may take long
    background.FOLDER.mkdir(parents=True, exist_ok=True)
    emulator = Emulator(Path(tempfile.mkdtemp(prefix="run-", dir=background.FOLDER)))
    with _termination_raises():
        leave_running = False
        try:
            stack = _start(emulator, port, {**PARAMETERS, **(parameters or {})})
            yield stack
            if keep:
                shell.write_commands(background.commands(), background.record_file())
                background.record(background.BackgroundStack(stack.pid, str(emulator.folder), stack.env))
                emulator.leave_running()
                leave_running = True
        finally:
            if not leave_running:
                with _signals_ignored():
                    emulator.stop()


def _start(emulator: Emulator, port: int, parameters: Mapping[str, str]) -> LocalStack:
    try:
        built = build_for_this_python()
    except BuildError as error:
        raise StackError(str(error)) from error
    emulator.start(ports.choose(port))

    def client_for(service: str) -> Any:
        return client(emulator.endpoint_url, service)

    try:
        template = apply_all(deployment.load_template(TEMPLATE, parameters))
        template = deployment.package(client_for, template, Path(built.path), built.digest)
        outputs = deployment.deploy(client_for, template, emulator.check)
        canary.wait_until_consumed(
            client_for, outputs["QueueUrl"], outputs["DeadLetterQueueUrl"], outputs["TableName"], emulator.check
        )
    except (BotoCoreError, ClientError, StackError) as error:
        emulator.check()
        raise StackError(f"{error}\n{emulator.last_log_lines()}") from error
    return LocalStack(
        endpoint_url=emulator.endpoint_url,
        region=REGION,
        queue_url=outputs["QueueUrl"],
        dlq_url=outputs["DeadLetterQueueUrl"],
        table_name=outputs["TableName"],
        log_path=emulator.log,
        pid=emulator.pid,
        outputs=outputs,
        check=emulator.check,
    )


@contextmanager
def _termination_raises() -> Iterator[None]:
    """Make SIGTERM and a closed terminal unwind the program as Ctrl-C does."""

    def raise_exit(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handlers(raise_exit, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Keep an impatient second Ctrl-C from interrupting the tear-down, which takes well under a second."""
    with _handlers(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _handlers(
    handler: signal.Handlers | Callable[[int, FrameType | None], None], *numbers: signal.Signals
) -> Iterator[None]:
    """Set a handler for some signals and restore the previous ones. Does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():  # the only one that may set handlers
        yield
        return
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
