"""The dry run of `recs dlq redrive`."""

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.replay.forecast import Forecast, most_sent, print_dry_run, print_forecast
from recommendation_cli.dead_letters.selection import Fate
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.screen.terminal import open_terminal
from recommendation_shared.wording import plural


def print_redrive_forecast(
    session: QueueSession, forecast: Forecast, destination: str, limit: int | None, *, by_sqs: bool
) -> None:
    """Print what a redrive would do; raise `NothingFoundError` when it would send nothing."""
    messages = plural(session.depth.visible, "message")
    if forecast.total:
        title = f"Dead-letter queue {session.name}: about {messages}, {forecast.total:,} of them inspected."
        console = open_terminal(session.runtime.environ)
        print_forecast(console, forecast, title, destination, session.runtime.now())
    if not forecast.count(Fate.SEND):
        raise NothingFoundError(_nothing(session, forecast))
    if by_sqs:
        print_dry_run("SQS would move the whole queue itself")
    else:
        is_sample = limit is None and forecast.total < session.depth.visible
        of_sample = " of those inspected" if is_sample else ""
        print_dry_run(f"{most_sent(forecast, limit)}{of_sample} would be moved one by one")


def _nothing(session: QueueSession, forecast: Forecast) -> str:
    if forecast.count(Fate.LEAVE_POISON):
        return (
            f"Only poison could be redriven from {session.name}: fix the cause first, then name its --reason or pass"
            " --include-poison; or use `recs dlq save` and `recs dlq purge`."
        )
    return session.nothing_matches(forecast.total)
