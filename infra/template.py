"""`template.yaml` and other CloudFormation templates as Python values."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from infra.paths import TEMPLATE

Template = dict[str, Any]


def load(path: Path = TEMPLATE) -> Template:
    """Return a template, with short intrinsics such as `!Ref` in their long form. The caller may modify it."""
    return copy.deepcopy(_parse(path))


@cache
def _parse(path: Path) -> Template:
    template: Template = yaml_parse(path.read_text())
    return template
