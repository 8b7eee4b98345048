"""Start MiniStack: `python -P launch.py FOLDER`.

Runs in the local stack's own virtual environment, in a process group of its own, and imports
nothing of this project. It gives MiniStack two properties that it has no options for: functions
run on FOLDER/function-python, and all ends, FOLDER with it, when the parent does.
"""

import os
import runpy
import shutil
import signal
import sys
import threading


def end_with_parent(folder: str) -> None:
    """Wait for the end of the parent, however it ends, and then leave nothing behind.

    The parent holds the other end of stdin; the system closes it even when the parent is killed.
    A byte on it means that the parent leaves us running.
    """
    if not sys.stdin.buffer.read(1):
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Hand over to MiniStack."""
    folder = sys.argv.pop(1)
    # MiniStack starts functions with sys.executable. Its own would show them its own site-packages
    # and hide that their zip lacks something.
    sys.executable = os.path.join(folder, "function-python")  # noqa: PTH118 - MiniStack expects text
    threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
