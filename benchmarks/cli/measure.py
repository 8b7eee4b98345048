"""Run a command and measure its first line, CPU and memory."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """`first_line`, `wall` and `cpu` are in seconds, `peak` in bytes of resident memory."""

    first_line: float
    wall: float
    cpu: float
    peak: int


def run(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    """Run a command to its end, reading its standard output; raise `CalledProcessError` if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    with process.stdout as output:
        output.readline()
        first_line = time.monotonic() - started
        while output.read(1 << 20):
            pass
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # so that it is not waited for again
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    wall = time.monotonic() - started
    return Cost(first_line, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def cpu_seconds(process_id: int) -> float:
    """Return the processor time that a process has used (proc(5), stat); Linux only."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
