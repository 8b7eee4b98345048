"""The stages that `samconfig.toml` defines, and whether a person has confirmed a change."""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import DeployError
from infra.paths import ROOT
from recommendation_shared.settings import reviews_table_of

CONFIG = ROOT / "infra" / "samconfig.toml"

_ARCHITECTURES = ("arm64", "x86_64")  # those that Lambda offers


@dataclass(frozen=True)
class Stage:
    """One deployment of the system."""

    name: str
    stack_name: str
    parameters: Mapping[str, str]  # the template's, where they differ from its defaults

    @property
    def platform(self) -> str:
        """The processor architecture of its function."""
        return self.parameters["Architecture"]

    @property
    def table_names(self) -> tuple[str, str]:
        """The names of its tables of recommendations and of reviews, known even if the stack does not exist."""
        name = f"opx-agent-recommendations{self.parameters.get('NameSuffix', '')}"
        return name, reviews_table_of(name)

    @property
    def queue_names(self) -> tuple[str, str]:
        """The names of its queue and dead-letter queue, which are known even if the stack does not exist."""
        name = f"opx-recommendations{self.parameters.get('NameSuffix', '')}"
        return name, f"{name}-dlq"


def load(name: str, overrides: Mapping[str, str], config: Path = CONFIG) -> Stage:
    """Return a stage with `overrides` replacing its own parameters. Raises `DeployError` if it does not exist."""
    stages = tomllib.loads(config.read_text())
    del stages["version"]
    if name not in stages:
        raise DeployError(f"there is no stage {name!r}; {config.name} has {', '.join(stages)}")
    settings = stages[name]["deploy"]["parameters"]
    parameters = {**parse_parameters(settings["parameter_overrides"]), **overrides}
    if parameters.get("Architecture") not in _ARCHITECTURES:
        raise DeployError(f"the stage's Architecture must be {' or '.join(_ARCHITECTURES)}, for which the zip is built")
    return Stage(name, settings["stack_name"], parameters)


def parse_parameters(pairs: list[str]) -> dict[str, str]:
    """Return `NAME=VALUE` pairs as a mapping. Raises `DeployError` for anything else."""
    parsed = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.isalnum() and equals):
            raise DeployError(f"{pair!r} is not a parameter; write NAME=VALUE")
        parsed[name] = value
    return parsed


def must_ask(stage: Stage, confirmed: str | None) -> bool:
    """Return whether to ask for confirmation, which is not necessary if the stage was confirmed by name.

    Raises `DeployError` if another stage was confirmed, or if there is no terminal to ask on.
    """
    if confirmed is None:
        if not sys.stdin.isatty():
            raise DeployError(f"there is no terminal to ask for confirmation on. To confirm, add CONFIRM={stage.name}")
        return True
    if confirmed != stage.name:
        raise DeployError(f"CONFIRM is {confirmed!r}, but the stage is {stage.name!r}")
    return False
