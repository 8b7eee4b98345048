"""The options that say which table to read, and how to print."""

import os
from dataclasses import dataclass, replace
from typing import Final

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.options.declaring import Declaration, declaring, options_as
from recommendation_cli.options.eager import bom_option, color_option, context_option, no_pager_option, with_bom
from recommendation_cli.runtime import Runtime
from recommendation_shared.settings import reviews_table_of

STDOUT: Final = "-"  # as a file's name
OUTPUT_FORMATS: Final = ("table", "json", "jsonl", "csv")


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or None


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Which table to read, and whether expired items count."""

    table: str | None
    reviews_table: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    include_expired: bool

    def target(self, runtime: Runtime) -> Target:
        """Return the table to read; raise a usage error when the environment names an impossible one."""
        table = self.table or runtime.default_table()
        return Target(table, region=self.region, profile=self.profile, endpoint_url=self.endpoint_url)

    def reviews_target(self, runtime: Runtime) -> Target:
        """Return the table of reviews beside it; raises as `target` does.

        The environment's reviews belong to the environment's table: they are never mixed with another stage's.
        """
        target = self.target(runtime)
        named = runtime.settings().reviews_table_name if self.table is None else None
        return replace(target, table=self.reviews_table or named or reviews_table_of(target.table))


@dataclass(frozen=True, slots=True)
class ReadOptions(TableOptions):
    """Which table to read, and the format to print in: one of `OUTPUT_FORMATS`."""

    output: str


table_option: Final[Declaration] = click.option(
    "--table", metavar="NAME", help="Table [default: $RECOMMENDATIONS_TABLE, else opx-agent-recommendations]."
)
reviews_table_option: Final[Declaration] = click.option(
    "--reviews-table",
    metavar="NAME",
    help="Table of reviews [default: $RECOMMENDATIONS_REVIEWS_TABLE, else opx-recommendation-reviews with the suffix of"
    " --table].",
)
output_option: Final[Declaration] = declaring(
    click.option(
        "-o",
        "--output",
        type=click.Choice(OUTPUT_FORMATS),
        default="table",
        show_default=True,
        callback=with_bom,
        help="Output format.",
    ),
    bom_option,
    color_option,
    no_pager_option,
)
location_options: Final[Declaration] = declaring(
    # Not click's `envvar`, which would win over an option given before the command, and over a context.
    click.option("--region", metavar="NAME", default=_region, help="AWS region [default: $AWS_REGION]."),
    click.option("--profile", metavar="NAME", help="Profile from the AWS configuration."),
    click.option("--endpoint-url", metavar="URL", help="Another AWS endpoint, such as a local stack's."),
    context_option,
)
table_declarations: Final = declaring(
    click.option("--include-expired", is_flag=True, help="Include expired items that DynamoDB has not deleted yet."),
    table_option,
    reviews_table_option,
    location_options,
)

read_declarations: Final = declaring(output_option, table_declarations)
table_options: Final = options_as(TableOptions, table_declarations)
read_options: Final = options_as(ReadOptions, read_declarations)
