import pytest

from recommendation_cli.calibration.judged import FEW, Judged, Stated, wilson


@pytest.mark.parametrize(
    ("total", "count", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (1, 1, 0.2065, 1),
    ],
)
def test_the_interval_is_wilsons(total: int, count: int, low: float, high: float) -> None:
    """At each end, the share that was seen is 1.96 standard errors of that end away; no end leaves the scale."""
    interval, share = wilson(total, count), total / count
    assert interval == pytest.approx((low, high), abs=5e-5)
    for end in interval:
        assert (share - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / count, abs=1e-9)


def test_below_the_limit_an_interval_may_cover_half_of_the_scale() -> None:
    """That is what makes a count too small to say anything; an even split has the widest interval."""
    widths = [high - low for low, high in (wilson(count / 2, count) for count in (FEW - 1, FEW))]
    assert widths[0] > 0.5 > widths[1]


def test_of_nothing_nothing_is_known() -> None:
    """Not even 0."""
    assert (Judged().share, Judged().interval) == (None, None)
    assert (Stated().confidence, Stated().brier, Stated().finding) == (None, None, None)


@pytest.mark.parametrize(
    ("confidence", "helpful", "count", "finding"),
    [
        (0.9, 10, 20, "overconfident"),
        (0.7, 14, 20, "consistent"),
        (0.2, 14, 20, "underconfident"),
        (0.9, 0, FEW - 1, "too few"),
        (0.9, 0, FEW, "overconfident"),
    ],
)
def test_a_confidence_outside_the_interval_is_a_finding(
    confidence: float, helpful: int, count: int, finding: str
) -> None:
    """Unless there are too few to tell."""
    sums = Stated()
    for number in range(count):
        sums.count_stated(float(number < helpful), confidence)
    assert sums.finding == finding
    assert sums.share == helpful / count


def test_the_brier_score_is_the_mean_squared_miss() -> None:
    """0.9 missed 1 by 0.1, and 0 by 0.9."""
    sums = Stated()
    sums.count_stated(1.0, 0.9)
    sums.count_stated(0.0, 0.9)
    assert sums.brier == pytest.approx((0.01 + 0.81) / 2)
