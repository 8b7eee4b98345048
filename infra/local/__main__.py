"""The local stack from the command line: `python -m infra.local up|down|status`."""

import argparse
import os
import sys
import time

from infra.errors import StackError
from infra.local import background, ports, shell
from infra.local.stack import local_stack

_INTERRUPTED = 130  # a shell's exit code for Ctrl-C


def up(port: int | None, *, foreground: bool) -> int:
    """Start the stack and leave it running, or stay with it until Ctrl-C."""
    with local_stack(port=port, keep=not foreground) as stack:
        _print_variables(stack.env)
        _say(f"# log: {stack.log_path}")
        while foreground:
            time.sleep(0.5)
            stack.check()
    _say("# stop it with: make down")
    return 0


def down() -> int:
    """Stop the stack that `up` or the demo left running."""
    stopped = background.stop()
    _say(f"stopped: {stopped}" if stopped else "no local stack is running")
    return 0


def status() -> int:
    """Print the environment of the running stack; return 1 if there is none."""
    stack = background.find()
    if stack is None:
        _say("no local stack is running")
        return 1
    _print_variables(stack.env)
    return 0


def _print_variables(stack: dict[str, str]) -> None:
    for line in shell.lines(stack, os.environ, background.commands()):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Run the whole system on 127.0.0.1: production's template and zip, on MiniStack.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up_parser = commands.add_parser(
        "up", help='start the stack and print its environment: eval "$(python -m infra.local up)"'
    )
    up_parser.add_argument(
        "--port", type=int, help=f"0 for any free port; default: {ports.VARIABLE} or {ports.DEFAULT}"
    )
    up_parser.add_argument("--foreground", action="store_true", help="stay attached; Ctrl-C or SIGTERM stops the stack")
    commands.add_parser("down", help="stop the running stack")
    commands.add_parser("status", help="print the environment of the running stack; exit code 1 if there is none")
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
