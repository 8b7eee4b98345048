"""The local stack from the command line: `python -m infra.local up|down|status`."""

import argparse
import shlex
import sys
import time

from infra.local import kept, ports
from infra.local.errors import StackError
from infra.local.stack import local_stack

_INTERRUPTED = 130  # a shell's exit code for Ctrl-C


def up(port: int | None, *, foreground: bool) -> int:
    """Start the stack and leave it up, or stay with it until Ctrl-C."""
    with local_stack(port=port, keep=not foreground) as stack:
        for name, value in stack.env.items():
            _say(f"export {name}={shlex.quote(value)}")
        _say(f"# log: {stack.log_path}")
        while foreground:
            time.sleep(0.5)
            stack.check()
    _say("# stop it with: make down")
    return 0


def down() -> int:
    """Stop the stack that `up` left."""
    stopped = kept.stop()
    _say(f"stopped: {stopped}" if stopped else "no local stack is up")
    return 0


def status() -> int:
    """Say whether a stack is up; 0 if so, 1 if not."""
    found = kept.find()
    if found is None:
        _say("no local stack is up")
        return 1
    for name, value in found.env.items():
        _say(f"export {name}={shlex.quote(value)}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="The whole system on 127.0.0.1: production's template and zip, on MiniStack.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up_parser = commands.add_parser("up", help='start it and print its environment: eval "$(python -m infra.local up)"')
    up_parser.add_argument("--port", type=int, help=f"0 for any free one; default: {ports.VARIABLE} or {ports.DEFAULT}")
    up_parser.add_argument("--foreground", action="store_true", help="stay with it, and end it on Ctrl-C or SIGTERM")
    commands.add_parser("down", help="stop the one that is up")
    commands.add_parser("status", help="print the environment of the one that is up, or exit with 1")
    options = parser.parse_args(arguments)
    try:
        if options.command == "up":
            return up(options.port, foreground=options.foreground)
        return down() if options.command == "down" else status()
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing is left running\n")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
