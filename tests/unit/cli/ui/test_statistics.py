from datetime import timedelta

from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_cli.ui.links import recommendation_path
from recommendation_shared.envelope.identity import sort_key
from tests.support.fakes.recommendation_table import COMPLETED, IndexedDynamoDb, Item, item, recommendation_id
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal
from tests.support.ui import ui_site, visitor

_OVERRULED = item("knowledge-rag", age=timedelta(seconds=5))
_CONSENSUS = item(recommendation={"minority_opinions": [{"agent_id": "knowledge-rag"}]})


def _review(about: Item, verdict: Verdict) -> Item:
    identity = recommendation_id(about)
    key = ReviewKey("incident-7", f"{sort_key(COMPLETED + timedelta(hours=1))}/{identity}")
    return Review(key, identity, verdict, None, None, None, "arn:aws:sts::1:alice").item()


def _page(reviews: FakeReviewsTable) -> str:
    return visitor(ui_site(IndexedDynamoDb([_OVERRULED, _CONSENSUS], reviews=reviews))).get("/stats").text


def test_statistics_show_how_people_judged_the_agents() -> None:
    """With the same chart as the report, and links to what was right against the consensus."""
    page = _page(FakeReviewsTable(_review(_OVERRULED, Verdict.HELPFUL), _review(_CONSENSUS, Verdict.WRONG)))
    assert "2 of 2 recommendations reviewed: 1 helpful, 1 wrong." in page
    assert "How much helped of what was said with each confidence" in page
    assert f'<a href="{recommendation_path(recommendation_id(_OVERRULED))}">' in page


def test_statistics_without_reviews_have_no_such_section() -> None:
    """If they cannot be read, the page says so."""
    assert "Was it right?" not in _page(FakeReviewsTable())
    refused = _page(FakeReviewsTable(error=refusal("AccessDeniedException")))
    assert "Was it right?" not in refused
    assert "Reviews are not shown: " in refused
