"""Start MiniStack: `python -P launch.py FOLDER`.

Runs in the local stack's own virtual environment and its own process group, and imports nothing from the project. It
adds two behaviours that MiniStack has no options for: functions run on FOLDER/function-python, and the whole process
group ends, and FOLDER is removed, when the parent ends.
"""

import os
import runpy
import shutil
import signal
import sys
import threading


def end_with_parent(folder: str) -> None:
    """Wait until the parent ends, for whatever reason, and then leave nothing behind.

    The parent holds the other end of stdin, which the system closes even if the parent is killed. A byte on it means
    that the parent leaves this process running.
    """
    if not sys.stdin.buffer.read(1):
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Set up both behaviours, then run MiniStack."""
    folder = sys.argv.pop(1)
    # MiniStack starts functions with sys.executable. With its own interpreter they would see its site-packages, which
    # would hide that something is missing from their zip.
    sys.executable = os.path.join(folder, "function-python")  # noqa: PTH118 - MiniStack expects a str
    threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
