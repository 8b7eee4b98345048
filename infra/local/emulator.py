"""The MiniStack process: its environment, its folder, its start and its end."""

import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.local.errors import StackError
from infra.local.ports import HOST

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_PYTHON_VARIABLE = "LOCAL_STACK_PYTHON"
_START_TIMEOUT = 30.0  # seconds; it takes half a second on an idle machine
_LOG_LINES = 25


class Emulator:
    """One MiniStack and all that it starts, in one process group and one folder.

    It keeps everything in memory, so it is killed rather than asked to stop: nothing can be lost,
    and a hung one ends as surely as a healthy one.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare; nothing is started. `folder` exists, is empty and is removed by `stop`."""
        self.folder = folder
        self.log = folder / "ministack.log"
        self.endpoint_url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process group's leader. Raises `StackError` before `start`."""
        if self._process is None:
            raise StackError("MiniStack was not started")
        return self._process.pid

    def start(self, port: int) -> None:
        """Start MiniStack and return once it answers. Raises `StackError` if it does not.

        It ends with this process, however this process ends, unless `leave_running` is called.
        """
        self.endpoint_url = f"http://{HOST}:{port}"
        python = stack_python()
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self._write_function_python(python)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own launcher in our own environment
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
        """Let it outlive this process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b".")
            self._process.stdin.close()

    def check(self) -> None:
        """Raise `StackError`, with exit code and last log lines, if the process has ended."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise StackError(f"MiniStack ended with exit code {code}.\n{self.last_log_lines()}")

    def last_log_lines(self) -> str:
        """Return the end of MiniStack's log, which has the function's log lines too."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if self.log.exists() else []
        return "\n".join(["The last lines of its log:", *lines]) if lines else "Its log is empty."

    def stop(self) -> None:
        """End the process group and remove the folder. Safe to call at any point, and twice."""
        if self._process is not None:
            end_group(self._process.pid)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_function_python(self, python: Path) -> None:
        """Write the interpreter that functions get: isolated, without site-packages, like their zip."""
        wrapper = self.folder / "function-python"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -I -S "$@"\n')
        wrapper.chmod(0o700)

    def _environment(self, temporary: Path, port: int) -> dict[str, str]:
        """Return all of MiniStack's environment. Functions inherit it, so nothing of the user's is in it."""
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
            "AUTH": "true",  # calls are held to the template's policies
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def stack_python() -> Path:
    """Return the Python of the local stack's environment.

    Raises `StackError` if it is missing, or of another version than this one: the function's zip,
    built for this Python, could not run there.
    """
    beside = Path(f"{sys.prefix}-stack", "bin", "python")
    python = Path(os.environ.get(_PYTHON_VARIABLE, beside))
    if not python.exists():
        raise StackError(f"{python} does not exist. Run `make setup`, or name another with {_PYTHON_VARIABLE}.")
    probe = [str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(probe, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - our own environment
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version != mine:
        raise StackError(
            f"{python} is Python {version or 'unknown: it does not run'}, this is {mine}; the function's zip "
            "could not run there. Make both anew: make clean setup"
        )
    return python


def answers(port: int) -> bool:
    """Whether a MiniStack on this port is ready."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end_group(pid: int) -> None:
    """Kill the process group that `pid` leads, if there is one."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone; macOS says the latter of one that is not yet reaped
        return
