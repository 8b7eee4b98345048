"""Variables for a shell that uses the local stack, and `aws` and `recs` commands that reach nothing else."""

import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from infra.local.emulator import stack_python

_HARMLESS: Final = frozenset({"AWS_CA_BUNDLE", "AWS_DEFAULT_OUTPUT", "AWS_PAGER"})


def environment(stack: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` with the stack's variables and without any other AWS variable, which could lead elsewhere."""
    return {**{name: value for name, value in base.items() if not name.startswith("AWS_")}, **stack}


def lines(stack: Mapping[str, str], base: Mapping[str, str], commands: Path) -> Iterator[str]:
    """Yield lines to paste into a shell whose environment is `base`; `commands` is the folder of `write_commands`.

    All of them work in bash, zsh and fish, but for `unset`: fish calls it `set -e`.
    """
    for name, value in stack.items():
        yield f"export {name}={shlex.quote(value)}"
    # In double quotes, fish joins the folders of PATH with colons, as other shells write it.
    yield f'export PATH={shlex.quote(str(commands))}":$PATH"'
    if leftover := sorted(name for name in base if name.startswith("AWS_") and name not in _HARMLESS | stack.keys()):
        yield f"unset {' '.join(leftover)}  # in fish: set -e {' '.join(leftover)}"


def write_commands(folder: Path, record: Path, cli: Path | None = None) -> None:
    """Write `aws` and `recs` into a folder that goes on the PATH. `cli` is the AWS CLI, by default the stack's own.

    Both reach the recorded stack whatever the shell's variables are, and refuse to run when none is running. So the
    folder may stay on a PATH after the stack has ended: were the commands to vanish with the stack, the shell would
    fall back to an `aws` or `recs` that reaches AWS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    python = stack_python()
    local_only = Path(__file__).with_name("local_only.py")
    programs = {"aws": cli or python.with_name("aws"), "recs": Path(sys.executable).with_name("recs")}
    for name, program in programs.items():
        _write_command(folder / name, python, "-I", local_only, record, name, program)


def _write_command(path: Path, *program: str | Path) -> None:
    # Replaced, not overwritten: another shell may be running it.
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, program))} "$@"\n')
    temporary.chmod(0o755)
    temporary.replace(path)
