"""What verdicts say about an agent, as plain JSON values for other programs."""

from typing import Any, Final

from recommendation_cli.calibration.judged import Judged, Stated
from recommendation_cli.calibration.track_record import BINS, TrackRecord
from recommendation_cli.reviews.review import Verdict

_DIGITS: Final = 6  # of shares and scores


def measured(track: TrackRecord) -> dict[str, Any]:
    """Return what is compared with the period before."""
    return {
        "reviewed": track.verdicts.total(),
        **{f"helpful{name}": value for name, value in _share(track.judged).items()},
        "brier": _rounded(track.stated.brier),
    }


def detailed(track: TrackRecord) -> dict[str, Any]:
    """Return the verdicts, the calibration, and the disagreements with the consensus."""
    return {
        "verdicts": {str(verdict): track.verdicts[verdict] for verdict in Verdict},
        "calibration": track.stated.finding,
        "calibrationBins": [_bin(number, sums) for number, sums in enumerate(track.bins) if sums.count],
        "dissents": track.dissents.count,
        "dissentsRight": track.dissents.right,
        "dissentsWrong": track.dissents.wrong,
        "rightAgainstConsensus": track.dissents.right_ids,
    }


def _bin(number: int, sums: Stated) -> dict[str, Any]:
    return {
        "from": number / BINS,
        "to": (number + 1) / BINS,
        "count": sums.count,
        "confidence": _rounded(sums.confidence),
        "helpful": sums.helpful,
        **{name.lower(): value for name, value in _share(sums).items()},
        "calibration": sums.finding,
    }


def _share(judged: Judged) -> dict[str, float | None]:
    low, high = judged.interval or (None, None)
    return {"Share": _rounded(judged.share), "Low": _rounded(low), "High": _rounded(high)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
