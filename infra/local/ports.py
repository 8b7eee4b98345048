"""The port that the local stack listens on, and which process may already hold it."""

import os
import shutil
import socket
import subprocess

from infra.errors import StackError

HOST = "127.0.0.1"
DEFAULT = 4566  # where tools expect a local AWS
VARIABLE = "LOCAL_STACK_PORT"

_LAST = 65535


def from_environment() -> int:
    """Return the port that `LOCAL_STACK_PORT` names, or the default. Raises `StackError` if it is not a port."""
    value = os.environ.get(VARIABLE) or str(DEFAULT)
    if not value.isdecimal() or int(value) > _LAST:
        raise StackError(f"{VARIABLE} is {value!r}; it must be a port number, or 0 for any free one")
    return int(value)


def choose(port: int) -> int:
    """Return the port if it is free, or any free port for 0.

    Raises `StackError`, which names the port and, if `lsof` knows it, the process that holds it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            process = holder(port)
            raise StackError(
                f"port {port} on {HOST} cannot be used ({error.strerror})"
                f"{f': {process} holds it' if process else ''}.\n"
                f"Stop that process, or choose another port with {VARIABLE}, such as {VARIABLE}={port + 1}."
            ) from error
        return int(probe.getsockname()[1])


def holder(port: int) -> str:
    """Return `name (pid n)` of the listening process, or an empty string if it cannot be determined."""
    lsof = shutil.which("lsof")
    if lsof is None:
        return ""
    listing = subprocess.run(
        [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], capture_output=True, text=True, check=False
    )
    fields = {line[0]: line[1:] for line in listing.stdout.splitlines() if line}
    return f"{fields['c']} (pid {fields['p']})" if {"c", "p"} <= fields.keys() else ""
