import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

BASH = shutil.which("bash")


def _complete(shell: str, words: str) -> list[str]:
    """Return what click's protocol offers for the last of `words`, which fish sends alone."""
    *before, last = words.split(" ")
    cword = last if shell == "fish" else str(len(before))
    environ = {**os.environ, "_RECS_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": cword}
    command = [sys.executable, "-m", "recommendation_cli"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return lines[1::3]
    return [line.split(",", 1)[1].split("\t")[0] for line in lines]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_offered_commands_and_agents(shell: str) -> None:
    """Each reads them in its own format."""
    assert _complete(shell, "recs inc") == ["incident", "incidents"]
    assert _complete(shell, "recs agent c") == ["change-intelligence", "consensus"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("recs incident i --min", ["--min-confidence", "--min-duration"]),
        ("recs incident i --agent kn", ["knowledge-rag"]),
        ("recs timeline i -o ", ["table", "json", "jsonl", "csv"]),
        ("recs export period x.csv --agent resp", ["response-strategy"]),
        ("recs export agent ri", ["risk-blast-radius"]),
        ("recs dlq re", ["redrive", "restore"]),
        ("recs dlq peek --reason Inv", ["InvalidJson", "InvalidEnvelope"]),
        ("recs dlq redrive --agent sig", ["signal-intelligence"]),
        ("recs completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_known_words_are_offered_wherever_they_are_allowed(words: str, offered: list[str]) -> None:
    """They include options, formats, agents, reasons, commands and shells."""
    assert _complete("bash", words) == offered


# Small containers have no bash; the words it would offer are tested above without it. CI always has it: .ci/run is a
# bash script.
@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_with_the_printed_script(tmp_path: Path) -> None:
    """The script runs the program `recs` on the path."""
    program = tmp_path / "recs"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m recommendation_cli "$@"\n')
    program.chmod(0o700)
    typed = (
        'eval "$(recs completion bash)"\n'
        "COMP_WORDS=(recs agent con) COMP_CWORD=2 COMP_LINE='recs agent con'\n"
        '$(complete -p recs | sed "s/.*-F \\([^ ]*\\).*/\\1/") recs con agent\n'
        'echo "${COMPREPLY[@]}"\n'
    )
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([str(BASH), "--norc", "-c", typed], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "consensus\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _recs_completion recs"),
        ("zsh", "compdef _recs_completion recs"),
        ("fish", "complete --no-files --command recs"),
    ],
)
def test_each_shell_gets_its_own_script(shell: str, line: str) -> None:
    """It asks the program `recs` for words."""
    script = CliRunner().invoke(recs, ["completion", shell]).stdout
    assert line in script
    assert f"_RECS_COMPLETE={shell}_complete" in script


def test_the_offered_agents_are_the_known_ones() -> None:
    """All of them are offered before anything is typed."""
    assert _complete("bash", "recs agent ") == list(KNOWN_AGENT_TYPES)
