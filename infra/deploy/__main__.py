"""Deploy a stage: `python -m infra.deploy dev`. Builds both zips, then runs `sam build` and `sam deploy`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.build.zips import build, build_layer
from infra.deploy import account, sam, stages
from infra.errors import BuildError, DeployError
from infra.paths import ROOT, TEMPLATE

_DEFAULT_STAGE = "dev"  # the only stage that may be changed without naming its account


def deploy(
    stage: stages.Stage, *, account_number: str | None, confirmed: str | None, template: Path = TEMPLATE
) -> None:
    """Show what will change, ask for confirmation, and deploy. Raises `DeployError` and `BuildError`."""
    if stage.name != _DEFAULT_STAGE and not account_number:
        raise DeployError(
            f"{stage.name} can only be deployed to an account that you name: add ACCOUNT= and its twelve digits"
        )
    sam.executable()
    asks = stages.must_ask(stage, confirmed)
    caller = account.current(account_number)
    built = build(stage.platform)
    layer = build_layer()
    _say(
        f"stage    {stage.name}, stack {stage.stack_name}",
        caller.describe(),
        f"function {built.path} for {built.platform}, sha256 {built.digest}",
        f"layer    {layer.path}, sha256 {layer.digest}",
    )
    sam.run("build", "--template-file", str(template), config=stages.CONFIG, stage=stage.name)
    sam.run(
        "deploy",
        *("--region", caller.region),
        # Quoted: SAM silently truncates a bare value at its first space, and rejects an empty one.
        *("--parameter-overrides", *(f"{name}={json.dumps(value)}" for name, value in stage.parameters.items())),
        "--confirm-changeset" if asks else "--no-confirm-changeset",
        *([] if sys.stdout.isatty() else ["--no-progressbar"]),
        config=stages.CONFIG,
        stage=stage.name,
    )


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy from the command line; return 0 if it succeeded."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a stage.")
    parser.add_argument("stage", help=f"a stage of {stages.CONFIG.relative_to(ROOT)}, such as dev")
    parser.add_argument(
        "--account", metavar="DIGITS", help="the account to deploy to; any other is refused; required outside dev"
    )
    parser.add_argument("--confirm", metavar="STAGE", help="the stage's name again: deploy without asking")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template; may be repeated",
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
