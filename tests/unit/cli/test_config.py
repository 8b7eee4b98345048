"""`recs config`, and the contexts that commands take their options from."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.configuration import path_of
from tests.support.fakes.recommendation_table import FakeDynamoDb, item, runtime


class Asked(FakeDynamoDb):
    """A table that is told which table it is."""

    def tables(self) -> list[str]:
        """Return the tables that were queried."""
        return [query["TableName"] for query in self.queries]


def _run(environ: Mapping[str, str], *args: str, client: FakeDynamoDb | None = None) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client or Asked([item()]), dict(environ)))


def _table(environ: Mapping[str, str], *args: str) -> str:
    client = Asked([item()])
    result = _run(environ, *args, client=client)
    assert result.exit_code == 0, result.output
    return client.tables()[0]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Two contexts, of which prod is the default."""
    environ = {"RECS_CONFIG": str(tmp_path / "config.toml")}
    _run(environ, "config", "set", "prod", "--table", "prod-table", "--output", "jsonl")
    _run(environ, "config", "set", "dev", "--table", "dev-table")
    _run(environ, "config", "use", "prod")
    return environ


def test_the_default_context_gives_way_to_the_environment_and_to_options(environ: dict[str, str]) -> None:
    """An option wins over a variable, and that over the default context."""
    listed = ("incident", "incident-7")
    assert _table(environ, *listed) == "prod-table"
    assert _table({**environ, "RECOMMENDATIONS_TABLE": "variable"}, *listed) == "variable"
    assert _table({**environ, "RECOMMENDATIONS_TABLE": "variable"}, *listed, "--table", "option") == "option"
    assert json.loads(_run(environ, *listed).stdout)["agentType"] == "consensus"
    assert _run(environ, *listed, "-o", "csv").stdout.startswith("schemaVersion,")


def test_a_default_contexts_reviews_give_way_together_with_its_table(environ: dict[str, str]) -> None:
    """The reviews of one table are never shown with the recommendations of another."""
    _run(environ, "config", "set", "prod", "--reviews-table", "opx-recommendation-reviews-prod")
    client = Asked([item()])
    _run(environ, "incident", "incident-7", client=client)
    _run({**environ, "RECOMMENDATIONS_TABLE": "opx-agent-recommendations-dev"}, "incident", "incident-7", client=client)
    assert [query["TableName"] for query in client.reviews.queries] == [
        "opx-recommendation-reviews-prod",
        "opx-recommendation-reviews-dev",
    ]


@pytest.mark.parametrize("args", [("--context", "dev", "incident", "i"), ("incident", "i", "--context", "dev")])
def test_a_context_that_is_named_wins_over_the_environment(environ: dict[str, str], args: tuple[str, ...]) -> None:
    """Whoever names one means it; an option still goes first, before the command too."""
    mine = {**environ, "RECOMMENDATIONS_TABLE": "variable"}
    client = Asked()
    _run(mine, *args, client=client)
    _run({**mine, "RECS_CONTEXT": "dev"}, "incident", "i", client=client)
    _run(mine, "--table", "option", *args, client=client)
    assert set(client.tables()) == {"dev-table", "option"}


def test_the_region_before_the_command_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option is worth the same before and after the command."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    result = _run({}, "--region", "eu-west-1", "incident", "nothing", client=FakeDynamoDb(*[[]] * 20))
    assert "in eu-west-1" in result.stderr


def test_contexts_are_shown_changed_and_removed(environ: dict[str, str]) -> None:
    """An empty value removes one setting."""
    assert _run(environ, "config").stdout == (
        "prod (default)\n  table         prod-table\n  output        jsonl\ndev\n  table         dev-table\n"
    )
    _run(environ, "config", "set", "prod", "--output", "", "--region", 'a"b')
    assert _run(environ, "config", "remove", "dev").exit_code == 0
    assert _run(environ, "config").stdout == 'prod (default)\n  table         prod-table\n  region        a"b\n'
    _run(environ, "config", "remove", "prod")
    nothing = _run(environ, "config")
    assert (nothing.stdout, nothing.exit_code) == ("", 0)
    assert "No contexts yet" in nothing.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("contexts = 1", "contexts must be tables"),
        ("[contexts]\nprod = 1", "contexts.prod must be a table"),
        ("[contexts.prod]\ntabel = 'x'", "contexts.prod.tabel is not a setting (table, reviews-table,"),
        ("[contexts.prod]\ntable = 1", "contexts.prod.table must be a text"),
        ("colour = 'red'", "colour is not a setting"),
        ("context = 'prod'", "There is no context prod in"),
        ("not TOML", "is not a configuration of recs"),
        ("\udcff", "it is not UTF-8"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, content: str, sentence: str) -> None:
    """Help does not need the file."""
    path = tmp_path / "config.toml"
    path.write_bytes(content.encode(errors="surrogateescape"))
    environ = {"RECS_CONFIG": str(path)}
    result = _run(environ, "incident", "i")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert _run(environ, "incident", "--help").exit_code == 0


def test_unknown_contexts_and_values_are_usage_errors(environ: dict[str, str]) -> None:
    """The message lists the contexts that there are."""
    for args in (("--context", "no", "incident", "i"), ("config", "use", "no"), ("config", "remove", "no")):
        result = _run(environ, *args)
        assert result.exit_code == 2
        assert "it has: prod, dev." in result.stderr
    assert _run(environ, "config", "set", "x", "--output", "xml").exit_code == 2
    assert _run(environ, "config", "set", "x", "--table", "\x1b").exit_code == 2


def test_the_file_is_where_the_environment_says() -> None:
    """As other programs have it."""
    assert path_of({"XDG_CONFIG_HOME": "/x"}) == Path("/x/recs/config.toml")
    assert path_of({"HOME": "/home/a"}) == Path("/home/a/.config/recs/config.toml")
    assert path_of({"RECS_CONFIG": "/y", "HOME": "/home/a"}) == Path("/y")
