"""The engines that tests run against. Each starts once a run, on 127.0.0.1, when a test first asks for it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from infra.local import LocalStack, local_stack, ports
from infra.local.emulator import end_group

CONFORMANCE = Path(__file__).parent / "conformance"

# Ends with this process, however it ends: the system then closes the other end of stdin.
END_WITH_PARENT = "process.stdin.resume().on('end', () => process.exit()); require(process.argv[1])"

# In JavaScript an attribute named `__proto__` would set the prototype of the map that holds it, and be lost.
PLAIN_NAMES = ["--disable-proto=delete"]


@pytest.fixture(scope="session", autouse=True)
def _no_real_account() -> Iterator[None]:
    """Keep every test away from the user's AWS account, whatever it forgets to set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "RECOMMENDATIONS_"))]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NO_PROXY", ports.HOST)
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The whole system, deployed from the real template. Mark such tests with `stack`."""
    with local_stack(port=0) as running:
        yield running


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The endpoint URL of moto in server mode. Tests share it, so they name their own queues and tables."""
    from moto.moto_server.threaded_moto_server import (  # noqa: PLC0415 - a second that only its users should pay
        ThreadedMotoServer,
    )

    server = ThreadedMotoServer(ip_address=ports.HOST, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="session")
def dynalite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of dynalite, a DynamoDB that enforces its limits. Tables are ready at once."""
    beside = Path(sys.prefix, "bin", "node")
    node = str(beside) if beside.exists() else shutil.which("node")
    program = CONFORMANCE / "node_modules" / "dynalite" / "cli.js"
    if node is None:
        _cannot_run("Node.js is missing")
    if not program.exists():
        _cannot_run("dynalite is not installed; run: make tests/conformance/node_modules/.ready")
    port = ports.choose(0)
    log = tmp_path_factory.mktemp("dynalite") / "log"
    delays = [part for name in ("create", "delete", "update") for part in (f"--{name}TableMs", "0")]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - node and dynalite, our own arguments
            [
                node,
                *PLAIN_NAMES,
                "-e",
                END_WITH_PARENT,
                str(program),
                "--host",
                ports.HOST,
                "--port",
                str(port),
                *delays,
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: `node` may be a script that starts the real one
        )
    try:
        deadline = time.monotonic() + 30
        while "listening" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"dynalite does not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield f"http://{ports.HOST}:{port}"
    finally:
        end_group(process.pid)
        process.communicate()


def _cannot_run(why: str) -> NoReturn:
    """Skip where a person may lack Node; in CI a skipped conformance run would pass unnoticed."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
