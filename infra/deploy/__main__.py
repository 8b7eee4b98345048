"""Deploy a stage: `python -m infra.deploy dev`. Builds the zip, then runs `sam build` and `sam deploy`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.build.zips import build
from infra.deploy import account, sam, stages
from infra.errors import BuildError, DeployError
from infra.paths import ROOT, TEMPLATE

_FREE_STAGE = "dev"  # the only one that may be changed without naming its account


def deploy(
    stage: stages.Stage, *, account_number: str | None, confirmed: str | None, template: Path = TEMPLATE
) -> None:
    """Show what is to change, ask, and change it. Raises `DeployError`, and `BuildError`."""
    if stage.name != _FREE_STAGE and not account_number:
        raise DeployError(
            f"{stage.name} is deployed only into an account that is named: add ACCOUNT= and its twelve digits"
        )
    sam.executable()
    asks = stages.must_ask(stage, confirmed)
    caller = account.current(account_number)
    built = build(stage.platform)
    _say(
        f"stage    {stage.name}, stack {stage.stack_name}",
        caller.describe(),
        f"function {built.path} for {built.platform}, sha256 {built.digest}",
    )
    sam.run("build", "--template-file", str(template), config=stages.CONFIG, stage=stage.name)
    sam.run(
        "deploy",
        *("--region", caller.region),
        # Quoted: of a bare value with a space in it SAM silently takes the first word, and it refuses an empty one.
        *("--parameter-overrides", *(f"{name}={json.dumps(value)}" for name, value in stage.parameters.items())),
        "--confirm-changeset" if asks else "--no-confirm-changeset",
        *([] if sys.stdout.isatty() else ["--no-progressbar"]),
        config=stages.CONFIG,
        stage=stage.name,
    )


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy from the command line; 0 when the stage is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a stage.")
    parser.add_argument("stage", help=f"one that {stages.CONFIG.relative_to(ROOT)} names, such as dev")
    parser.add_argument("--account", metavar="DIGITS", help="refuse to change any other; must be given outside dev")
    parser.add_argument("--confirm", metavar="STAGE", help="the stage's name again: do not ask before the change")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the template; may be repeated"
    )
    parser.add_argument("--template", type=Path, default=TEMPLATE, help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        stage = stages.load(options.stage, stages.parse_parameters(options.parameter))
        deploy(stage, account_number=options.account, confirmed=options.confirm, template=options.template.resolve())
    except (BuildError, DeployError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
