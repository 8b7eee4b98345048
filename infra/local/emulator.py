"""The MiniStack process: its environment, its folder, how it starts and how it ends."""

import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.errors import StackError
from infra.local.ports import HOST

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_PYTHON_VARIABLE = "LOCAL_STACK_PYTHON"
_START_TIMEOUT = 30.0  # seconds; it takes half a second on an idle machine
_LOG_LINES = 25


class Emulator:
    """One MiniStack and everything that it starts, in one process group and one folder.

    It keeps everything in memory, so it is killed rather than asked to stop: there is nothing to lose, and a hung
    process ends as surely as a healthy one.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare without starting anything. `folder` must exist and be empty; `stop` removes it."""
        self.folder = folder
        self.log = folder / "ministack.log"
        self.endpoint_url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The ID of the process and of its group. Raises `StackError` before `start`."""
        if self._process is None:
            raise StackError("MiniStack has not been started")
        return self._process.pid

    def start(self, port: int) -> None:
        """Start MiniStack and return once it answers. Raises `StackError` if it does not.

        It ends when this process ends, for whatever reason, unless `leave_running` is called.
        """
        self.endpoint_url = f"http://{HOST}:{port}"
        python = stack_python()
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self._write_function_python(python)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), "-P", str(Path(__file__).with_name("launch.py")), str(self.folder)],
                cwd=self.folder,
                env=self._environment(temporary, port),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not answers(port):
            self.check()
            if time.monotonic() > deadline:
                raise StackError(f"MiniStack does not answer on port {port}.\n{self.last_log_lines()}")
            time.sleep(0.05)

    def leave_running(self) -> None:
        """Let MiniStack outlive this process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b".")
            self._process.stdin.close()

    def check(self) -> None:
        """Raise `StackError`, with the exit code and the last log lines, if the process has ended."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise StackError(f"MiniStack ended with exit code {code}.\n{self.last_log_lines()}")

    def last_log_lines(self) -> str:
        """Return the end of MiniStack's log, which includes the function's log lines."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if self.log.exists() else []
        return "\n".join(["The last lines of its log:", *lines]) if lines else "Its log is empty."

    def stop(self) -> None:
        """End the process group and remove the folder. Safe to call at any time, and more than once."""
        if self._process is not None:
            end_group(self._process.pid)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_function_python(self, python: Path) -> None:
        """Write the interpreter that runs functions: isolated and without site-packages, so they see only their zip."""
        wrapper = self.folder / "function-python"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -I -S "$@"\n')
        wrapper.chmod(0o700)

    def _environment(self, temporary: Path, port: int) -> dict[str, str]:
        """Return MiniStack's whole environment. Functions inherit it, so it holds nothing of the user's."""
        return {
            **CREDENTIALS,
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "TMPDIR": str(temporary),  # where it unpacks functions
            "S3_DATA_DIR": str(temporary / "s3"),
            "STATE_DIR": str(temporary / "state"),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "AUTH": "true",  # enforce the template's policies
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def stack_python() -> Path:
    """Return the Python of the local stack's environment.

    Raises `StackError` if it is missing or its version differs from this Python's, for which the function's zip is
    built.
    """
    default = Path(f"{sys.prefix}-stack", "bin", "python")
    python = Path(os.environ.get(_PYTHON_VARIABLE, default))
    if not python.exists():
        raise StackError(f"{python} does not exist. Run `make setup`, or set {_PYTHON_VARIABLE} to another Python.")
    probe = [str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(probe, capture_output=True, text=True, check=False).stdout.strip()
    expected = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version != expected:
        problem = f"is Python {version}" if version else "does not run"
        raise StackError(
            f"{python} {problem}; the function's zip is built for Python {expected}. "
            "Rebuild both environments: make clean setup"
        )
    return python


def answers(port: int) -> bool:
    """Return whether a MiniStack on this port is ready."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end_group(pid: int) -> None:
    """Kill the process group that `pid` leads, if it exists."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended; macOS raises the latter until it is reaped
        return
