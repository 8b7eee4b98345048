"""The documentation names only links, files, tests, make targets, modules and imports that exist."""

import ast
import importlib
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from infra.paths import ROOT

PAGES: Final = sorted(
    path
    for path in {
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/README.md"),
        *ROOT.glob("*/README.md"),
    }
    if "node_modules" not in path.parts
)
TARGETS: Final = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
TESTS: Final = {
    name
    for path in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}
SOURCE_ROOTS: Final = [ROOT, *(ROOT / name for name in ("producer", "consumer", "shared", "cli"))]
GENERATED: Final = ("build/", "dist/", ".venv", ".local/")  # folders that make targets create
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

_FENCE: Final = re.compile(r"^ *```(\w*).*?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_FILE: Final = re.compile(r"[\w.*/-]+\.(?:py|sh|toml|yaml|md|lock|in|json|html|zip)")
_FOLDER: Final = re.compile(r"(\w[\w.-]*)/[\w.*/-]*")
_MAKE: Final = re.compile(r"\bmake((?: [A-Z_]+=\S+| -\S+)*) ([a-z][\w-]*)")
_MODULE: Final = re.compile(r"\bpython[\d.]* -m ([\w.]*\w)")
_NAME: Final = r"opx[-_]agent[-_]recommendations"
_BY_NAME: Final = re.compile(rf"(?:install|add) (?:[^\n`]* )?['\"]?{_NAME}(?![\w.-]*\.whl)|{_NAME}\[")
_WHEEL: Final = re.compile(r"opx_agent_recommendations-([\w.]+?)-py3")


@dataclass(frozen=True)
class Page:
    """A page's text, and the code in it."""

    path: Path
    text: str

    @property
    def fences(self) -> list[tuple[str, str]]:
        """The language and the text of each fenced block."""
        return [(found[1], found[2]) for found in _FENCE.finditer(self.text)]

    @property
    def spans(self) -> list[str]:
        """The code between backticks, each on one line even where the page wraps it."""
        return [" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", self.text))]

    @property
    def code(self) -> str:
        """All spans and fenced blocks."""
        return "\n".join([*self.spans, *(text for _, text in self.fences)])


def broken_references(page: Page) -> Iterator[str]:
    """Yield every reference on the page that leads nowhere."""
    yield from _broken_links(page)
    yield from (f"no file {name}" for name in page.spans if _is_path(name) and not _exists(page, name))
    yield from (f"no test {name}" for name in page.spans if re.fullmatch(r"test_\w+", name) and name not in TESTS)
    yield from (f"no target {name}" for _, name in _MAKE.findall(page.code) if name not in TARGETS)
    yield from (f"no module {name}" for name in _MODULE.findall(page.code) if not _can_run(name))
    yield from (f"no import {name}" for name in _broken_imports(page))
    yield from (f"install by name: {found[0]}" for found in _BY_NAME.finditer(page.text))
    yield from (f"no wheel of version {found}" for found in _WHEEL.findall(page.text) if found != VERSION)


def _broken_links(page: Page) -> Iterator[str]:
    for link in _LINK.findall(_FENCE.sub("", page.text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.path.parent / name
        if name and not target.exists():
            yield f"no file {name}"
        elif anchor and anchor not in _anchors(target.read_text(encoding="utf-8") if name else page.text):
            yield f"no heading {link}"


def _anchors(text: str) -> set[str]:
    """Return a page's headings as GitHub's links name them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _is_path(span: str) -> bool:
    if span.startswith((*GENERATED, "/")):
        return False
    folder = _FOLDER.fullmatch(span)
    return bool(folder and (ROOT / folder[1]).is_dir()) or bool(_FILE.fullmatch(span) and "/" in span)


def _exists(page: Page, name: str) -> bool:
    return any(any(folder.glob(name.rstrip("/"))) for folder in (ROOT, page.path.parent))


def _can_run(module: str) -> bool:
    """Whether `python -m` finds it: one of our files, or an installed package."""
    file = module.replace(".", "/")
    ours = [root for root in SOURCE_ROOTS if (root / file.partition("/")[0]).is_dir()]
    if ours:
        return any((root / f"{file}.py").exists() or (root / file / "__main__.py").exists() for root in ours)
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _broken_imports(page: Page) -> Iterator[str]:
    """Yield the names that the page's Python code imports from our packages and that are not there."""
    trees = [ast.parse(text) for language, text in page.fences if language == "python"]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            yield from (f"{node.module}.{name}" for name in sorted(names - _names_in(node.module)))


def _names_in(module: str) -> set[str]:
    try:
        return set(vars(importlib.import_module(module)))
    except ImportError:
        return set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_reference_leads_somewhere(path: Path) -> None:
    """Links with their anchors, paths, make targets, modules, imports, and how to install the package."""
    broken = list(broken_references(Page(path, path.read_text(encoding="utf-8"))))
    assert not broken, "\n".join(broken)


def test_every_page_in_docs_is_in_the_index() -> None:
    """A page that no index names is not read."""
    for index in (ROOT / "docs" / "README.md", ROOT / "docs" / "decisions" / "README.md"):
        linked = {name.partition("#")[0] for name in _LINK.findall(index.read_text(encoding="utf-8"))}
        assert {path.name for path in index.parent.glob("*.md")} - {"README.md"} <= linked


def test_code_names_only_pages_that_exist() -> None:
    """In comments, docstrings, messages and the template; a decision may go by its number alone."""
    folders = ("benchmarks", "cli", "consumer", "examples", "infra", "producer", "scripts", "shared", "tests", ".ci")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*.*") if path.suffix in {".py", ".yaml", ".sh"}
    ]
    named = {
        name.rstrip(".")
        for path in files
        if "node_modules" not in path.parts and path != Path(__file__)
        for name in re.findall(r"\bdocs/[\w./-]+", path.read_text(encoding="utf-8"))
    }
    assert "docs/runbook.md" in named
    assert [name for name in sorted(named) if not any(ROOT.glob(name + "*"))] == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("See [the page](missing.md).", "no file missing.md"),
        ("See [the heading](#missing).", "no heading #missing"),
        ("See [the heading](docs/README.md#missing).", "no heading docs/README.md#missing"),
        (
            "It is in `consumer/recommendation_consumer/missing.py`.",
            "no file consumer/recommendation_consumer/missing.py",
        ),
        ("It is in `tests/missing/`.", "no file tests/missing/"),
        ("It is in `tests/unit/docs/missing*.py`.", "no file tests/unit/docs/missing*.py"),
        ("`test_missing` proves it.", "no test test_missing"),
        ("Run `make missing STAGE=dev`.", "no target missing"),
        ("```\nmake KEEP=1 missing\n```\n", "no target missing"),
        ("Run `python -m infra.missing`.", "no module infra.missing"),
        ("Run `python -m\nbenchmarks.missing`.", "no module benchmarks.missing"),
        ("Run `python -m recommendation_shared`.", "no module recommendation_shared"),
        ("```sh\npython -m missing_package\n```\n", "no module missing_package"),
        ("```python\nfrom producer import Outcome\n```\n", "no import producer.Outcome"),
        ("```python\nfrom recommendation_producer import missing\n```\n", "no import recommendation_producer.missing"),
        ("`pip install opx-agent-recommendations`", "install by name: install opx-agent-recommendations"),
        ("`uv add --dev opx_agent_recommendations`", "install by name: add --dev opx_agent_recommendations"),
        ("needs 'opx-agent-recommendations[cli]'", "install by name: opx-agent-recommendations["),
        ("`pip install 'dist/opx_agent_recommendations-0.0.0-py3-none-any.whl'`", "no wheel of version 0.0.0"),
    ],
)
def test_a_broken_reference_is_found(text: str, finding: str) -> None:
    """Otherwise the check above would prove nothing."""
    assert list(broken_references(Page(ROOT / "SAMPLE.md", text))) == [finding]


def test_sound_references_pass() -> None:
    """Each kind, in a span and in a fence."""
    text = (
        "[one](docs/README.md#documentation-by-reader) `tests/unit/` `infra/*.yaml` `build/consumer.zip` `a/b`\n"
        "`test_sound_references_pass` `make deploy STAGE=dev` `python -m infra.local up` `python -m pip` [site](https://example.com/#x)\n"
        "```\nmake build && cd infra\n```\n"
        f"`pip install 'dist/opx_agent_recommendations-{VERSION}-py3-none-any.whl[cli]'`\n"
        "```python\nfrom recommendation_producer import RecommendationProducer\n```\n"
    )
    assert list(broken_references(Page(ROOT / "SAMPLE.md", text))) == []
