import time

from recommendation_cli.diff.comparison import compare
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item


def test_long_texts_are_compared_in_time() -> None:
    """Two texts of 100 KB that differ everywhere do not hang a terminal."""
    before, after = item(reasoning="\n" * 100_000), item(reasoning="x\n" * 50_000)
    start = time.process_time()
    assert compare([decode_item(before)], [decode_item(after)])[0].reasoning
    assert time.process_time() - start < 10
