"""The local stack that was left up: where it is noted, whether it still runs, and its end."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.emulator import end_group
from infra.local.errors import StackError
from infra.paths import ROOT

FOLDER = Path(os.environ.get("LOCAL_STACK_FOLDER", ROOT / ".local"))

_END_TIMEOUT = 10.0  # seconds; a killed process group is gone at once


@dataclass(frozen=True)
class Kept:
    """A stack that outlived the command which started it."""

    pid: int
    folder: str
    env: dict[str, str]

    def __str__(self) -> str:
        """Say where it is, for a person."""
        return f"{self.env['AWS_ENDPOINT_URL']} (pid {self.pid})"

    def listens_on(self, port: int) -> bool:
        """Whether it holds this port."""
        return self.env["AWS_ENDPOINT_URL"].endswith(f":{port}")

    @property
    def runs(self) -> bool:
        """Whether that process is still ours; its command line names the stack's own folder."""
        command = ["ps", "-ww", "-o", "stat=,args=", "-p", str(self.pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - constant but for a number
        return self.folder in shown and not shown.lstrip().startswith("Z")


def record(kept: Kept) -> None:
    """Note the stack for later commands."""
    _note().write_text(json.dumps(asdict(kept), indent=2) + "\n")


def find() -> Kept | None:
    """Return the stack that is up, or None. The remains of one that died are removed."""
    try:
        kept = Kept(**json.loads(_note().read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StackError(f"{_note()} cannot be read ({type(error).__name__}). Delete it.") from error
    if kept.runs:
        return kept
    _forget(kept)
    return None


def stop() -> Kept | None:
    """End the stack that is up and return what it was, or None if there was none.

    Raises `StackError` if the process does not end.
    """
    kept = find()
    if kept is None:
        return None
    end_group(kept.pid)
    deadline = time.monotonic() + _END_TIMEOUT
    while kept.runs:
        if time.monotonic() > deadline:
            raise StackError(f"process {kept.pid} does not end")
        time.sleep(0.02)
    _forget(kept)
    return kept


def _forget(kept: Kept) -> None:
    shutil.rmtree(kept.folder, ignore_errors=True)
    _note().unlink(missing_ok=True)


def _note() -> Path:
    return FOLDER / "stack.json"
