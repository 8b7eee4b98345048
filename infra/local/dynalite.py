"""dynalite, an emulator that enforces DynamoDB's limits, as a Node.js process on 127.0.0.1."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.local import ports
from infra.local.emulator import end_group

_PROGRAM: Final = Path(__file__).parents[2] / "tests" / "conformance" / "node_modules" / "dynalite" / "cli.js"
_START: Final = 30.0  # seconds

# Node ends when this process ends, for whatever reason: the system then closes the other end of stdin.
_END_WITH_PARENT: Final = "process.stdin.resume().on('end', () => process.exit()); require(process.argv[1])"
# In JavaScript, an attribute named `__proto__` would set the prototype of the map that holds it and be lost.
_PLAIN_NAMES: Final = "--disable-proto=delete"


class DynaliteError(RuntimeError):
    """dynalite is missing or does not start; the message says what to do."""


@contextlib.contextmanager
def running_dynalite(log: Path, *node_options: str) -> Iterator[str]:
    """Run dynalite until the end of the block and yield its endpoint URL; tables are ready at once."""
    bundled = Path(sys.prefix, "bin", "node")
    node = str(bundled) if bundled.exists() else shutil.which("node")
    if node is None or not _PROGRAM.exists():
        raise DynaliteError("dynalite or Node.js is missing. Run `make setup` in the project folder.")
    port = ports.choose(0)
    delays = [part for name in ("create", "delete", "update") for part in (f"--{name}TableMs", "0")]
    options = [str(_PROGRAM), "--host", ports.HOST, "--port", str(port), *delays]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [node, *node_options, _PLAIN_NAMES, "-e", _END_WITH_PARENT, *options],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own group: `node` may be a script that starts the real one
        )
    try:
        deadline = time.monotonic() + _START
        while "listening" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DynaliteError(f"dynalite does not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield f"http://{ports.HOST}:{port}"
    finally:
        end_group(process.pid)
        process.communicate()
