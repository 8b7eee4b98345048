"""The proof that a queue is a dead-letter queue: every command refuses any other queue before it receives anything.

Receiving from a live queue spends its messages' receives, and purging it deletes them. The URLs of the two queues
differ by a few letters, so which option holds a URL proves nothing; only the redrive policy of another queue does.
"""

import json
from typing import Final

import click

from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import explained_queue, is_unknown_action
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.session import Depth, QueueSession
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code

_UNTOUCHED: Final = "Nothing was received or deleted."


def open_dead_letters(runtime: Runtime, options: QueueOptions) -> QueueSession:
    """Connect to the dead-letter queue; raise a usage error unless another queue's redrive policy names it.

    The main queue, where it is known, proves it with its own redrive policy. Otherwise, SQS is asked which queues use
    this one (ListDeadLetterSourceQueues, which emulators and older roles may lack).
    """
    session = QueueSession.open(runtime, options.dead_letters(runtime))
    main = options.known_queue(runtime)
    depth = None if main is None else depth_if_allowed(session, main)
    if depth is not None and depth.arn != session.depth.arn and dead_letter_arn(depth) == session.depth.arn:
        return session
    sources = _source_queues(session)
    if not sources:
        raise click.UsageError(_refusal(session, main, depth, is_known=sources is not None))
    return session


def dead_letter_arn(queue: Depth) -> str:
    """Return the ARN of the queue to which a queue's redrive policy moves messages; empty without one."""
    policy = json.loads(queue.redrive_policy) if queue.redrive_policy else {}
    return str(policy.get("deadLetterTargetArn", ""))


def dead_letter_name(queue: Depth) -> str:
    """Return the name of that queue, safe to print; empty without one."""
    return visible(dead_letter_arn(queue).rpartition(":")[2])


def depth_if_allowed(session: QueueSession, main: QueueTarget) -> Depth | None:
    """Return the main queue's depth; None if there is no such queue, or reading it is not allowed."""
    from botocore.exceptions import ClientError

    with explained_queue(main):
        try:
            return session.read_depth(main.url)
        except ClientError as error:
            if error_code(error) in ACCESS_DENIED | MISSING_RESOURCE:
                return None
            raise


def _source_queues(session: QueueSession) -> list[str] | None:
    """Return the URLs of the other queues whose redrive policy names this one; None if SQS does not say."""
    from botocore.exceptions import ClientError

    with session.explained():
        try:
            response = session.sqs.list_dead_letter_source_queues(QueueUrl=session.target.url)
        except ClientError as error:
            if is_unknown_action(error) or error_code(error) in ACCESS_DENIED:
                return None
            raise
    return [url for url in response.get("queueUrls", []) if url != session.target.url]


def _refusal(session: QueueSession, main: QueueTarget | None, depth: Depth | None, *, is_known: bool) -> str:
    own = dead_letter_name(session.depth)
    if own:
        swapped = main is not None and visible(main.name) == own
        remedy = "--dlq-url and --queue-url are swapped" if swapped else f"pass {own} as --dlq-url"
        return f"{session.name} is not a dead-letter queue: its own dead letters go to {own}, so {remedy}. {_UNTOUCHED}"
    if main is not None and depth is not None:
        theirs = dead_letter_name(depth) or "no queue"
        return (
            f"{session.name} is not the dead-letter queue of {visible(main.name)}, which sends its dead letters to"
            f" {theirs}{'' if is_known else ', and SQS did not say whether another queue uses it'}: check --dlq-url and"
            f" --queue-url. {_UNTOUCHED}"
        )
    if is_known:
        return (
            f"{session.name} is not a dead-letter queue: no queue's redrive policy names it. Check --dlq-url."
            f" {_UNTOUCHED}"
        )
    unread = "" if main is None else f", and the attributes of {visible(main.name)} could not be read"
    return (
        f"Nothing proves that {session.name} is a dead-letter queue: SQS did not list the queues that use it{unread}."
        f" Pass its main queue as --queue-url, or allow sqs:ListDeadLetterSourceQueues. {_UNTOUCHED}"
    )
