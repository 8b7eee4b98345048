"""Start MiniStack: `python -P launch.py FUNCTION_PYTHON`.

Runs in the local stack's own virtual environment, in a process group of its own, and imports
nothing of this project. It gives MiniStack two properties that it has no options for.
"""

import os
import runpy
import signal
import sys
import threading


def end_with_parent() -> None:
    """End this process group, function workers included, once the parent is gone, however it went.

    The parent holds the other end of stdin; the system closes it even when the parent is killed.
    A byte on it means that the parent leaves us running.
    """
    if not sys.stdin.buffer.read(1):
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Hand over to MiniStack."""
    # MiniStack starts functions with sys.executable. Its own would show them its own site-packages
    # and hide that their zip lacks something.
    sys.executable = sys.argv.pop(1)
    threading.Thread(target=end_with_parent, daemon=True).start()
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
