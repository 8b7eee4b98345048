"""The messages that docs/deploy.md explains are those that deploying and building print."""

import ast
import re
from collections.abc import Iterator

import pytest

from infra.paths import ROOT

TABLE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").partition("| message | what to do |\n")[2]
MESSAGES = [
    message
    for row in TABLE.partition("\n\n")[0].splitlines()
    for message in re.findall(r"`([^`]+)`", row.split("|")[1])
]


def _texts() -> Iterator[str]:
    """Yield every text in the code of infra, with … in place of what an f-string fills in."""
    for path in (ROOT / "infra").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def _is_printed(message: str) -> bool:
    return re.search(re.escape(message).replace("…", ".*….*"), "\n".join(_texts())) is not None


@pytest.mark.parametrize("message", MESSAGES)
def test_every_explained_message_is_printed(message: str) -> None:
    """A row whose message was reworded helps nobody."""
    assert _is_printed(message)


def test_a_message_that_nothing_prints_is_noticed() -> None:
    """Otherwise the check above would prove nothing."""
    assert len(MESSAGES) > 5
    assert not _is_printed("AWS refuses the credentials: …")
