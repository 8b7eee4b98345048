"""A developer's editable install, which type checkers and editors must be able to follow."""

from importlib.metadata import distribution

from infra.paths import ROOT


def test_editable_install_is_one_plain_path_file() -> None:
    """It lists the four source roots and contains no import hook, which mypy would not follow."""
    installed = distribution("opx-agent-recommendations")
    assert installed.files
    modules = [file for file in installed.files if ".dist-info/" not in str(file) and file.parts[0] != ".."]
    (path_file,) = modules
    assert path_file.suffix == ".pth"
    roots = path_file.locate().read_text().splitlines()  # type: ignore[attr-defined]
    assert sorted(roots) == [str(ROOT / folder) for folder in ("cli", "consumer", "producer", "shared")]
