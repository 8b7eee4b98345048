"""The demo from start to end: the local stack, the pipeline, what became of it, and what to try next."""

import os
import sys
import time

from examples.demo.pipeline import SHOWN, Result, run, say
from infra.local import LocalStack, StackError, background, local_stack, shell


def demo() -> int:
    """Run the demo; return 0 if nothing was lost. KEEP=1 in the environment leaves the stack running."""
    keep = os.environ.get("KEEP", "0") not in {"", "0"}
    user_environment = dict(os.environ)
    started = time.monotonic()
    say("1. Starting the local stack: production's template and zip, on 127.0.0.1")
    try:
        with local_stack(keep=keep) as stack:
            seconds = time.monotonic() - started
            say(f"   ready after {seconds:.1f} s at {stack.endpoint_url}; a canary recommendation was stored")
            environment = stack.environment(user_environment)
            os.environ.clear()  # the user's own AWS variables could lead the producer elsewhere
            os.environ.update(environment)
            result = run(stack)
    except StackError as error:
        _fail([str(error)])
        return 1
    except KeyboardInterrupt:
        say("interrupted; the local stack has been stopped")
        return 130
    if result.problems:
        _fail(result.problems)
    else:
        say(f"\n{result.closing}")
    if keep:
        _say_what_to_try(stack, result, user_environment)
    return 1 if result.problems else 0


def _say_what_to_try(stack: LocalStack, result: Result, user_environment: dict[str, str]) -> None:
    say("\nThe stack keeps running. Paste these lines into a shell; its aws and recs then reach this stack only:\n")
    for line in shell.lines(stack.env, user_environment, background.commands()):
        say(f"  {line}")
    say(f"""
Then try, in this folder:

  recs incidents
  recs incident {SHOWN}
  recs ui /incident/{SHOWN}
  recs search index --limit 3
  recs stats
  recs agent consensus --limit 5
  recs show {result.example}
  recs review {result.example} --verdict wrong
  recs reviews {SHOWN}
  recs release {SHOWN} --reason over --yes
  scripts/view-recommendations.sh {SHOWN}
  aws sqs get-queue-attributes --queue-url "$RECOMMENDATIONS_QUEUE_URL" --attribute-names All
  aws dynamodb query --table-name "$RECOMMENDATIONS_TABLE" --index-name incidentId-timestamp-index \\
    --key-condition-expression 'incidentId = :i' \\
    --expression-attribute-values '{{":i": {{"S": "{SHOWN}"}}}}' --no-scan-index-forward --max-items 2 \\
    --projection-expression 'recommendationId, confidence'
  make down  # stops the stack""")


def _fail(problems: list[str]) -> None:
    print("\nThe demo failed:", *problems, sep="\n  ", file=sys.stderr, flush=True)
