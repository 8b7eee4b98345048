import pytest

from recommendation_cli.calibration.track_record import BINS, OUTCOMES, Dissents, TrackRecord, bin_name
from recommendation_cli.reviews.review import Verdict


def test_every_verdict_has_an_outcome_or_is_known_to_have_none() -> None:
    """Advice that nobody followed may have been right or wrong."""
    assert set(OUTCOMES) == set(Verdict)
    assert [verdict for verdict, outcome in OUTCOMES.items() if outcome is None] == [Verdict.NOT_FOLLOWED]


def test_verdicts_are_counted_and_those_with_an_outcome_judged() -> None:
    """Only a usable confidence can be compared with the outcome."""
    track = TrackRecord()
    track.add(Verdict.HELPFUL, 0.8)
    track.add(Verdict.PARTLY, 0.8)
    track.add(Verdict.HARMFUL, None)
    track.add(Verdict.NOT_FOLLOWED, 0.8)
    assert track.verdicts.total() == 4
    assert (track.judged.count, track.judged.helpful) == (3, 1.5)
    assert (track.stated.count, track.stated.helpful) == (2, 1.5)


@pytest.mark.parametrize(
    ("confidence", "name"),
    [
        (0.0, "0.0-0.1"),
        (0.0999, "0.0-0.1"),
        (0.1, "0.1-0.2"),
        (0.3, "0.3-0.4"),
        (0.7, "0.7-0.8"),
        (0.9, "0.9-1.0"),
        (1.0, "0.9-1.0"),
    ],
)
def test_a_bin_holds_its_lower_end(confidence: float, name: str) -> None:
    """The last one holds 1 too."""
    track = TrackRecord()
    track.add(Verdict.WRONG, confidence)
    assert [bin_name(number) for number in range(BINS) if track.bins[number].count] == [name]


def test_a_dissent_is_right_if_it_was_better_than_the_consensus() -> None:
    """Two that were equally good are neither right nor wrong."""
    dissents = Dissents()
    for number, (outcome, consensus) in enumerate([(1.0, 0.0), (0.5, 0.0), (0.0, 1.0), (1.0, 1.0)]):
        document = {"recommendationId": f"rec-{9 - number}", "timestamp": f"2026-01-0{number + 1}T00:00:00.000000Z"}
        dissents.add(document, outcome, consensus)
    assert (dissents.count, dissents.right, dissents.wrong) == (4, 2, 1)
    assert dissents.right_ids == ["rec-8", "rec-9"]  # the newest first
