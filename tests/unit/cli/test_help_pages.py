from click.testing import CliRunner, Result

from recommendation_cli.app import recs


def _help(*args: str) -> Result:
    return CliRunner().invoke(recs, ["help", *args], prog_name="recs")


def test_help_shows_a_command_as_its_option_does() -> None:
    """There is one source for both."""
    assert (
        _help("dlq", "redrive").stdout
        == CliRunner().invoke(recs, ["dlq", "redrive", "--help"], prog_name="recs").stdout
    )
    assert _help().stdout.startswith("Usage: recs ")


def test_all_help_is_one_page_with_every_command() -> None:
    """Each command has a heading."""
    page = _help("--all").stdout
    for command in ("recs", "recs incident", "recs dlq", "recs dlq restore", "recs export verify", "recs config set"):
        assert f"\n{command} ──" in f"\n{page}"
        assert f"Usage: {command} " in page
    assert "Usage: recs help" not in page


def test_unknown_commands_are_usage_errors() -> None:
    """So is naming one together with --all."""
    assert _help("dlq", "no").exit_code == 2
    assert _help("show", "no").exit_code == 2
    assert _help("show", "--all").exit_code == 2
