"""The local stack that runs in the background: its record, whether it still runs, and how it is stopped."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.errors import StackError
from infra.local.emulator import end_group
from infra.paths import ROOT

FOLDER = Path(os.environ.get("LOCAL_STACK_FOLDER", ROOT / ".local"))

_STOP_TIMEOUT = 10.0  # seconds; a killed process group ends at once


@dataclass(frozen=True)
class BackgroundStack:
    """A stack that outlives the command that started it."""

    pid: int
    folder: str
    env: dict[str, str]

    def __str__(self) -> str:
        """Return its address and process ID, for a person."""
        return f"{self.env['AWS_ENDPOINT_URL']} (pid {self.pid})"

    def listens_on(self, port: int) -> bool:
        """Return whether it holds this port."""
        return self.env["AWS_ENDPOINT_URL"].endswith(f":{port}")

    @property
    def runs(self) -> bool:
        """Whether the process is still ours: its command line names the stack's folder."""
        command = ["ps", "-ww", "-o", "stat=,args=", "-p", str(self.pid)]
        listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return self.folder in listing and not listing.lstrip().startswith("Z")


def record_file() -> Path:
    """Return the file that records the running stack."""
    return FOLDER / "stack.json"


def commands() -> Path:
    """Return the folder of the commands `aws` and `recs`, made to be put on a PATH."""
    return FOLDER / "bin"


def record(stack: BackgroundStack) -> None:
    """Record the stack, so that later commands find it."""
    record_file().write_text(json.dumps(asdict(stack), indent=2) + "\n")


def find() -> BackgroundStack | None:
    """Return the stack that is running, or None. Whatever a stack that died left behind is removed.

    Raises `StackError` if the record is damaged.
    """
    try:
        stack = BackgroundStack(**json.loads(record_file().read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StackError(f"{record_file()} cannot be read ({type(error).__name__}). Delete it.") from error
    if stack.runs:
        return stack
    _remove(stack)
    return None


def stop() -> BackgroundStack | None:
    """Stop the running stack and return it, or None if none is running.

    Raises `StackError` if the process does not end.
    """
    stack = find()
    if stack is None:
        return None
    end_group(stack.pid)
    deadline = time.monotonic() + _STOP_TIMEOUT
    while stack.runs:
        if time.monotonic() > deadline:
            raise StackError(f"process {stack.pid} was killed but has not ended after {_STOP_TIMEOUT:.0f} s")
        time.sleep(0.02)
    _remove(stack)
    return stack


def _remove(stack: BackgroundStack) -> None:
    shutil.rmtree(stack.folder, ignore_errors=True)
    record_file().unlink(missing_ok=True)
