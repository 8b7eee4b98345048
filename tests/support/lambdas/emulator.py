"""Run an artifact under the real Lambda Runtime Interface Emulator and runtime client, and nothing else."""

import http.client
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from infra.build.artifacts import FUNCTION_PYTHON, Artifact
from infra.build.byte_code import Interpreter, interpreter
from infra.build.dependencies import TARGETS, Target, install
from infra.build.zips import build
from infra.errors import BuildError
from infra.local.emulator import end_group
from infra.local.ports import HOST, choose
from infra.paths import ROOT
from tests.support.lambdas.zips import unpack_zip

# What AWS puts next to the function. It is not an artifact of ours but is installed like an artifact's dependencies.
_RUNTIME = Artifact("runtime", (), "runtime", "/var/runtime", sys.maxsize, "none")
_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_TIMEOUT = 30.0  # seconds; a cold start on a busy machine takes about four seconds


@dataclass(frozen=True)
class Sandbox:
    """A function that handles every invocation in the same sandbox."""

    port: int
    log: Path

    def invoke(self, event: Any) -> Any:
        """Return the function's answer, or Lambda's description of its error."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_TIMEOUT)
        try:
            connection.request("POST", _INVOCATIONS, json.dumps(event))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def unpack(artifact: Artifact, folder: Path) -> Path:
    """Build the artifact for Lambda on this machine's architecture, unpack it into `folder` and return `folder`.

    Without Lambda's Python on this machine, build it for the running one instead.
    """
    target, python = where_it_runs()
    name = f"{artifact.name}-{target.platform}-{target.python}.zip"
    built = build(target.platform, ROOT / "build" / name, artifact=artifact)
    assert built.byte_code == (python.version if artifact.extra else None)
    return unpack_zip(Path(built.path), folder)


@contextmanager
def sandbox(  # noqa: PLR0913 - what a Lambda function consists of
    folder: Path,
    task_root: Path,
    handler: str,
    environment: Mapping[str, str],
    layer: Path | None = None,
    *,
    version: str = FUNCTION_PYTHON,
) -> Iterator[Sandbox]:
    """Start the emulator with the code in `task_root` and the unpacked layer, on this version of Python.

    `folder` receives the runtime client and the log. Skips where the emulator cannot run, but fails in CI.
    """
    rie = _emulator()
    command = runtime_client(folder, task_root, handler, layer, version=version)
    port, log = choose(0), folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(rie),
                *("--runtime-interface-emulator-address", f"{HOST}:{port}"),
                *("--runtime-api-address", f"{HOST}:{choose(0)}"),
                *command,
            ],
            cwd=task_root,
            env={
                "PATH": os.defpath,
                "LAMBDA_TASK_ROOT": str(task_root),
                "AWS_LAMBDA_FUNCTION_NAME": "function",
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(round(_TIMEOUT)),
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Sandbox(port, log)
    finally:
        end_group(process.pid)
        process.wait()


def runtime_client(
    folder: Path, task_root: Path, handler: str, layer: Path | None = None, *, version: str = FUNCTION_PYTHON
) -> list[str]:
    """Copy the real runtime client into `folder`; return the command that runs the handler under it."""
    target, python = where_it_runs(version)
    lock = ROOT / "requirements" / "runtime.lock"
    runtime = folder / "runtime"
    shutil.copytree(install(_RUNTIME, lock, target, python, ROOT / "build" / "dependencies"), runtime)
    bootstrap = Path(shutil.copy(Path(__file__).with_name("bootstrap.py"), runtime))
    path = [task_root, *([layer / "python"] if layer else []), runtime]
    return [str(python.path), "-I", "-S", str(bootstrap), str(ROOT), ":".join(map(str, path)), handler]


def lambda_platform() -> str | None:
    """Return the Lambda architecture whose wheels this machine can load, if there is one."""
    return _MACHINES.get(platform.machine()) if sys.platform == "linux" else None


def where_it_runs(version: str = FUNCTION_PYTHON) -> tuple[Target, Interpreter]:
    """Return Lambda's target on this architecture if that Python is on this machine, else the running Python's."""
    lambdas = TARGETS.get(lambda_platform() or "")
    if lambdas is not None:
        try:
            return replace(lambdas, python=version), interpreter(version)
        except BuildError:
            pass  # the running Python shows the same, except for the version
    local = TARGETS["local"]
    return local, interpreter(local.python)


def _emulator() -> Path:
    """Return the emulator for this architecture from the SAM CLI's wheel."""
    if sys.platform != "linux":
        cannot_run("the Runtime Interface Emulator runs on Linux only")
    sam_python = Path(f"{sys.prefix}-sam", "bin", "python")
    if not sam_python.exists():
        cannot_run(f"{sam_python} does not exist; run: make {sys.prefix}-sam/.ready")
    locate = "import importlib.util as u; print(u.find_spec('samcli').submodule_search_locations[0])"
    located = subprocess.run([str(sam_python), "-I", "-c", locate], capture_output=True, text=True, check=True)
    folder = Path(located.stdout.strip(), "local", "rapid")
    return folder / f"aws-lambda-rie-{_MACHINES[platform.machine()]}"


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        connection = http.client.HTTPConnection(HOST, port, timeout=1)
        try:
            connection.connect()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the emulator did not start:\n{log.read_text()}")
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()


def cannot_run(why: str) -> NoReturn:
    """Skip on a developer's machine; in CI, an untested artifact would go unnoticed, so fail."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
