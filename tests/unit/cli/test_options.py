import json
from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.options.declaring import declaring, options_as
from tests.support.fakes.recommendation_table import FakeDynamoDb, items, runtime


@dataclass(frozen=True)
class Colour:
    """A group of two parameters, one of them optional."""

    name: str
    dark: bool = False


@dataclass(frozen=True)
class Size:
    """A group of one parameter."""

    width: int


_colour = options_as(Colour, click.argument("name"), click.option("--dark", is_flag=True))


def _run(client: FakeDynamoDb, *args: str, environ: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client, environ))


def test_each_group_of_options_is_one_value() -> None:
    """Groups fill the positional parameters from the lowest decorator upwards; other options stay keywords."""
    received: list[object] = []

    @click.command()
    @_colour
    @options_as(Size, click.option("--width", type=int))
    @click.option("--loud", is_flag=True)
    @click.pass_obj
    def paint(obj: str, size: Size, colour: Colour, /, *, loud: bool) -> None:
        received.extend((obj, size, colour, loud))

    result = CliRunner().invoke(paint, ["blue", "--width", "3", "--dark", "--loud"], obj="wall")
    assert result.exit_code == 0, result.output
    assert received == ["wall", Size(3), Colour("blue", dark=True), True]


def test_a_group_may_be_reused_and_declare_only_some_fields() -> None:
    """A field that a command does not declare keeps its default."""

    @click.command()
    @_colour
    def full(colour: Colour, /) -> None:
        click.echo(colour)

    @click.command()
    @options_as(Colour, click.argument("name"))
    def partial(colour: Colour, /) -> None:
        click.echo(colour)

    assert CliRunner().invoke(full, ["blue", "--dark"]).output == f"{Colour('blue', dark=True)}\n"
    assert CliRunner().invoke(partial, ["blue"]).output == f"{Colour('blue')}\n"
    assert CliRunner().invoke(partial, ["blue", "--dark"]).exit_code == 2


def test_help_lists_options_in_the_order_of_their_declaration() -> None:
    """The order holds within a group and across groups."""

    @click.command()
    @declaring(click.option("--first"), click.option("--second"))
    @options_as(Size, click.option("--width", type=int))
    def command(_size: Size, /, first: str, second: str) -> None:
        """Do nothing with the options."""
        del first, second

    assert [parameter.name for parameter in command.params] == ["first", "second", "width"]


@pytest.mark.parametrize("args", [("-o", "json", "incident", "incident-7"), ("incident", "incident-7", "-o", "json")])
def test_options_may_stand_before_or_after_the_command(args: tuple[str, ...]) -> None:
    """The one after the command wins."""
    assert len(json.loads(_run(FakeDynamoDb(items(2)), *args).stdout)) == 2
    both = _run(FakeDynamoDb(items(2)), "-o", "csv", "incident", "incident-7", "-o", "json")
    assert len(json.loads(both.stdout)) == 2


def test_the_table_comes_from_the_option_or_the_environment() -> None:
    """The option wins."""
    environ = {"RECOMMENDATIONS_TABLE": "from-environment"}
    client = FakeDynamoDb(items(1))
    _run(client, "incident", "incident-7", environ=environ)
    _run(client, "incident", "incident-7", "--table", "from-option", environ=environ)
    assert [query["TableName"] for query in client.queries] == ["from-environment", "from-option"]


def test_an_impossible_table_in_the_environment_is_a_usage_error() -> None:
    """The message names the variable."""
    result = _run(FakeDynamoDb([]), "incident", "i", environ={"RECOMMENDATIONS_TABLE": "a b"})
    assert result.exit_code == 2
    assert "RECOMMENDATIONS_TABLE" in result.stderr


@pytest.mark.parametrize(
    ("environ", "args", "reviews"),
    [
        ({}, (), "opx-recommendation-reviews"),
        ({"RECOMMENDATIONS_TABLE": "opx-agent-recommendations-dev"}, (), "opx-recommendation-reviews-dev"),
        ({"RECOMMENDATIONS_REVIEWS_TABLE": "opx-recommendation-reviews-x"}, (), "opx-recommendation-reviews-x"),
        (
            {"RECOMMENDATIONS_REVIEWS_TABLE": "opx-recommendation-reviews-x"},
            ("--table", "opx-agent-recommendations-dev"),
            "opx-recommendation-reviews-dev",
        ),
        ({}, ("--reviews-table", "opx-recommendation-reviews-y"), "opx-recommendation-reviews-y"),
    ],
    ids=["default", "suffix", "variable", "another table than the variable's", "option"],
)
def test_the_reviews_are_those_of_the_table(environ: dict[str, str], args: tuple[str, ...], reviews: str) -> None:
    """Without a name of their own they have the table's suffix, whatever the variable says about another table."""
    client = FakeDynamoDb(items(1))
    assert _run(client, "incident", "incident-7", *args, environ=environ).exit_code == 0
    assert [query["TableName"] for query in client.reviews.queries] == [reviews]
