"""Hold a process to a share of one processor, as Lambda does: by the kernel's quota, or by stopping it in turns."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PERIOD: Final = 0.02  # seconds; Lambda's own
_GROUPS: Final = Path("/sys/fs/cgroup")
QUOTA: Final = "the kernel's quota"
TURNS: Final = "SIGSTOP and SIGCONT in turns"


@contextmanager
def held(process_id: int, share: float) -> Iterator[str]:
    """Hold the process to `share` of one processor until the end of the block; yield the way in words."""
    group = _group(share)
    if group is not None:
        try:
            (group / "cgroup.procs").write_text(str(process_id))
            yield QUOTA
        finally:
            with suppress(ProcessLookupError):  # it has ended, as it should have
                (group.parent / "cgroup.procs").write_text(str(process_id))
            group.rmdir()
        return
    ended = threading.Event()
    thread = threading.Thread(target=_take_turns, args=(process_id, share, ended))
    thread.start()
    try:
        yield TURNS
    finally:
        ended.set()
        thread.join()


def _group(share: float) -> Path | None:
    """Create a control group with this quota, or return None where that is not allowed."""
    period = round(PERIOD * 1_000_000)
    quota = round(share * period)
    versions = [
        (_GROUPS / "cpu", {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(quota)}),
        (_GROUPS, {"cpu.max": f"{quota} {period}"}),
    ]
    for parent, settings in versions:
        group = parent / f"opx-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for name, value in settings.items():
                (group / name).write_text(value)
        except OSError:
            group.rmdir()
            continue
        return group
    return None


def _take_turns(process_id: int, share: float, ended: threading.Event) -> None:
    with suppress(ProcessLookupError):  # it has ended
        while not ended.is_set():
            time.sleep(PERIOD * share)
            os.kill(process_id, signal.SIGSTOP)
            time.sleep(PERIOD * (1 - share))
            os.kill(process_id, signal.SIGCONT)
