"""docs/parameters.md, generated from the template: `python -m infra.synthesis.parameters > docs/parameters.md`."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from infra.template import load

HEAD = """# Parameters and outputs of the stack

Generated from `infra/template.yaml` by `.venv/bin/python -m infra.synthesis.parameters > docs/parameters.md`; a test
compares the two. To see what a set of parameters deploys, with every reference resolved, run
`.venv/bin/python -m infra.synthesis Stage=prod AlarmEmail=...`.
"""


def page() -> str:
    """Return the page in Markdown."""
    template = load()
    declared = template["Parameters"]
    lines = [HEAD]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines += [
            f"## {group['Label']['default']}",
            "",
            "| parameter | default | values | meaning |",
            "|---|---|---|---|",
        ]
        lines += [_row(name, declared[name]) for name in group["Parameters"]]
        lines.append("")
    lines += ["## Rejected before anything is created", ""]
    lines += [f"- {assertion}" for assertion in _assertions(template)]
    lines += ["", "## Outputs", "", "| output | value |", "|---|---|"]
    for name, output in template["Outputs"].items():
        exported = f" Exported as `{output['Export']['Name']['Fn::Sub']}`." if "Export" in output else ""
        lines.append(f"| `{name}` | {output['Description']}.{exported} |")
    return "\n".join(lines) + "\n"


def _row(name: str, parameter: Mapping[str, Any]) -> str:
    default = f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"
    return f"| `{name}` | {default} | {_values(parameter)} | {parameter['Description']} |"


def _values(parameter: Mapping[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return ", ".join(map(str, parameter["AllowedValues"]))
    if "MinValue" in parameter:
        return f"{parameter['MinValue']} to {parameter['MaxValue']}"
    return str(parameter["ConstraintDescription"])


def _assertions(template: Mapping[str, Any]) -> Iterator[str]:
    for rule in template["Rules"].values():
        for assertion in rule["Assertions"]:
            yield assertion["AssertDescription"]


if __name__ == "__main__":
    sys.stdout.write(page())
