"""Exports of a table in memory: the command, pages of items to export, and the file they become."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, Item, item, runtime


def run_export(client: FakeDynamoDb, *args: str | Path) -> Result:
    """Run `recs export` with these arguments."""
    return CliRunner().invoke(recs, ["export", *map(str, args)], obj=runtime(client))


def export_pages(count: int = 3) -> list[list[Item]]:
    """Return pages of two items, oldest first; one of the items has expired."""
    table = [item(age=timedelta(seconds=-number), reasoning=f"Number {number}.") for number in range(2 * count)]
    table[1] = item("expired", age=timedelta(days=2), retention=1)
    return [table[start : start + 2] for start in range(0, len(table), 2)]


def exported_lines(pages: Sequence[Sequence[Item]]) -> bytes:
    """Return the JSON Lines file that these pages become, without what has expired."""
    return b"".join(json_line(decode_item(stored)) for page in pages for stored in page if "expired" not in str(stored))


def outage() -> ClientError:
    """Return the error of a throttled query."""
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Query")
