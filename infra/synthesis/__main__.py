"""Show the template as CloudFormation deploys it: `python -m infra.synthesis Stage=prod`."""

import argparse
import json
import sys
from pathlib import Path

from infra.synthesis.synthesize import EVERY_OPTION, SynthesisError, synthesize


def main() -> int:
    """Write the synthesized template as JSON; return 0 if the parameters are valid."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.synthesis",
        description="Show the template as CloudFormation deploys it with the given parameters.",
    )
    parser.epilog = (
        "The result is for reading and checking, not for deploying: its ARNs are of a fictitious account, and it names "
        "no real code. Deploy infra/template.yaml itself; see docs/deploy.md."
    )
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="a parameter that differs from its default")
    parser.add_argument("--every-option", action="store_true", help="start with every option turned on")
    parser.add_argument("--output", type=Path, help="file to write; default: standard output")
    options = parser.parse_args()
    chosen = dict(EVERY_OPTION) if options.every_option else {}
    for pair in options.parameters:
        name, _, value = pair.partition("=")
        chosen[name] = value
    try:
        text = json.dumps(synthesize(chosen), indent=2) + "\n"
    except SynthesisError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
