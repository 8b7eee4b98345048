"""`template.yaml` and other CloudFormation templates as Python values."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

from infra.paths import TEMPLATE

Template = dict[str, Any]

# The properties that name a file of this machine until the template is packaged.
_FILES: Final = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def load(path: Path = TEMPLATE) -> Template:
    """Return a template, with short intrinsics such as `!Ref` in their long form. The caller may modify it."""
    return copy.deepcopy(_parse(path))


def packaged(template: Template, location: Callable[[str], Any]) -> Template:
    """Return the template with `location(name)` in place of each local zip, such as `consumer.zip`."""
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        properties, property_ = resource.get("Properties", {}), _FILES.get(resource["Type"])
        if property_ is not None and isinstance(properties[property_], str):
            properties[property_] = location(Path(properties[property_]).name)
    return changed


@cache
def _parse(path: Path) -> Template:
    template: Template = yaml_parse(path.read_text())
    return template
