"""The stages that `samconfig.toml` names, and whether a person agreed to change one."""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import DeployError
from infra.paths import ROOT

CONFIG = ROOT / "infra" / "samconfig.toml"

_ARCHITECTURES = ("arm64", "x86_64")  # of Lambda


@dataclass(frozen=True)
class Stage:
    """One copy of the system."""

    name: str
    stack_name: str
    parameters: Mapping[str, str]  # of the template, where they differ from its defaults

    @property
    def platform(self) -> str:
        """The processor that its function runs on."""
        return self.parameters["Architecture"]

    @property
    def table_name(self) -> str:
        """The table's name, known also when the stack is gone."""
        return f"opx-agent-recommendations{self.parameters.get('NameSuffix', '')}"


def load(name: str, overrides: Mapping[str, str], config: Path = CONFIG) -> Stage:
    """Return a stage, `overrides` in the place of its own parameters. Raises `DeployError` if there is none."""
    stages = tomllib.loads(config.read_text())
    del stages["version"]
    if name not in stages:
        raise DeployError(f"no stage is called {name!r}; {config.name} has {', '.join(stages)}")
    settings = stages[name]["deploy"]["parameters"]
    parameters = {**parse_parameters(settings["parameter_overrides"]), **overrides}
    if parameters.get("Architecture") not in _ARCHITECTURES:
        raise DeployError(f"the stage's Architecture must be {' or '.join(_ARCHITECTURES)}: the zip is built for it")
    return Stage(name, settings["stack_name"], parameters)


def parse_parameters(pairs: list[str]) -> dict[str, str]:
    """Return `NAME=VALUE` pairs as a mapping. Raises `DeployError` for what is none."""
    parsed = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.isalnum() and equals):
            raise DeployError(f"{pair!r} is no parameter; write NAME=VALUE")
        parsed[name] = value
    return parsed


def must_ask(stage: Stage, confirmed: str | None) -> bool:
    """Whether a person is still to be asked: not if they named the stage beforehand.

    Raises `DeployError` if they named another, or if nobody is there to answer.
    """
    if confirmed is None:
        if not sys.stdin.isatty():
            raise DeployError(f"nobody can be asked here. To go ahead unasked, add CONFIRM={stage.name}")
        return True
    if confirmed != stage.name:
        raise DeployError(f"CONFIRM is {confirmed!r}, but the stage is {stage.name!r}")
    return False
