"""What several readers find arrives in any order, and adds up to the same in each."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.incidents.incident import Incident
from recommendation_cli.reviews.review import Subject, Verdict
from recommendation_cli.search.filters import Filter
from recommendation_cli.stats.collect import Span, Tallies
from recommendation_cli.stats.view import records
from recommendation_shared.envelope.identity import EPOCH, sort_key

_AGENTS = st.sampled_from(["a", "b", "c", "consensus"])
_SPAN = Span(EPOCH, EPOCH + timedelta(seconds=60))


def _document(agent: str, second: int, **fields: Any) -> dict[str, Any]:
    key = {"incidentId": "i", "recommendationId": f"rec-{agent}-{second}", "agentType": agent}
    return {**key, "timestamp": sort_key(EPOCH + timedelta(seconds=second)), **fields}


def _documents(fields: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return documents that differ in agent or time, as those with different IDs do."""
    one = st.builds(lambda agent, second, more: _document(agent, second, **more), _AGENTS, st.integers(0, 5), fields)
    return st.lists(one, min_size=1, unique_by=lambda document: document["recommendationId"])


_EXECUTIONS = st.fixed_dictionaries(
    {
        "executionId": st.sampled_from(["x", "y"]),
        "metadata": st.fixed_dictionaries({"status": st.sampled_from(["SUCCESS", "FAILURE"])}),
    }
)


@given(_documents(_EXECUTIONS), st.randoms(use_true_random=False))
def test_an_incident_is_the_same(documents: list[dict[str, Any]], random: Random) -> None:
    """Also where two executions ended at the same moment, of which one has a consensus."""

    def added_up() -> tuple[dict[str, Any], str, str]:
        first = documents[0]["timestamp"]
        incident = Incident("i", first, first)
        for document in documents:
            incident.add(document, matches=True)
        return incident.record(60.0), incident.state(60.0), incident.failures

    expected = added_up()
    random.shuffle(documents)
    assert added_up() == expected


_MEASURED = st.fixed_dictionaries(
    {
        "confidence": st.decimals(0, 1, places=2),
        "metadata": st.fixed_dictionaries({"cost": st.decimals(0, Decimal("0.01"), places=7)}),
    }
)


@given(_documents(_MEASURED), st.randoms(use_true_random=False))
def test_statistics_are_the_same(documents: list[dict[str, Any]], random: Random) -> None:
    """To the last digit: sums that are rounded after each addition depend on their order."""
    verdicts = {Subject("i", document["recommendationId"]): Verdict.PARTLY for document in documents}

    def added_up() -> tuple[Any, ...]:
        tallies = Tallies(verdicts)
        tallies.add(documents, _SPAN, Filter())
        stated = tallies.everything.track.stated
        rows = records(tallies, Tallies(), has_reviews=True)
        return rows, tallies.everything.usd, stated.confidence, stated.brier

    expected = added_up()
    random.shuffle(documents)
    assert added_up() == expected
