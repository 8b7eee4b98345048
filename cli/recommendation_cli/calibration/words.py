"""What verdicts say, in sentences and in the cells of a row."""

from typing import Final

from recommendation_cli.calibration.judged import FEW, Judged, Stated
from recommendation_cli.calibration.track_record import Dissents, TrackRecord
from recommendation_cli.reviews.review import Verdict
from recommendation_shared.wording import plural

EXPLAINED: Final = (
    "Helpful: 1 for helpful, 0.5 for partly, 0 for wrong or harmful, on average; what was not followed does not count."
)
DISSENTS: Final = "Disagreed with the consensus, where both have a verdict:"


def verdicts_text(track: TrackRecord, count: int) -> str:
    """Return how many of `count` recommendations have a verdict, and which."""
    given = ((verdict.replace("-", " "), track.verdicts[verdict]) for verdict in Verdict)
    parts = [f"{times:,} {verdict}" for verdict, times in given if times]
    return f"{track.verdicts.total():,} of {plural(count, 'recommendation')} reviewed: {', '.join(parts)}."


def measured_texts(judged: Judged, stated: Stated) -> tuple[str, str, str, str]:
    """Return how many were judged, the share that helped, its interval, and the Brier score unless it is of a few."""
    interval = judged.interval
    return (
        f"{judged.count:,}",
        "" if judged.share is None else f"{judged.share:.2f}",
        "" if interval is None else f"{interval.low:.2f}-{interval.high:.2f}",
        "" if stated.brier is None or stated.count < FEW else f"{stated.brier:.2f}",
    )


def dissents_text(agent: str, dissents: Dissents) -> str:
    """Return how often an agent was right and wrong where it disagreed with the consensus."""
    return f"{agent}: right in {dissents.right:,} of {dissents.count:,}, wrong in {dissents.wrong:,}"
