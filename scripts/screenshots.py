"""Create the pictures in docs/screenshots from a real run: python -m scripts.screenshots.

Starts a local stack, lets the example executor fill it, and draws what `recs` prints. The page of `recs report` is
captured where Chromium is installed.
"""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text
from rich.theme import Theme

from examples.executor.execution import Execution
from examples.executor.run import run_all, yesterday
from infra.local import LocalStack, local_stack
from recommendation_producer import RecommendationProducer

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
INCIDENT = "incident-roblox-2021-10-28"
WIDTH, WIDE, PAGE = 100, 150, (1000, 1400)  # columns; pixels
RECOMMENDATIONS = 91
WAIT = 60.0  # seconds; storing everything usually takes a few
# From hiding the cursor to erasing the bar.
PROGRESS = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h(?:\r\x1b\[1A\x1b\[2K)*", re.DOTALL)
# Otherwise whoever opens the picture would fetch fonts from the network.
WEB_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Fill a stack and create the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with local_stack(port=0) as stack:
        day = yesterday()
        fill(stack, day)
        replay = Execution(INCIDENT, replay=True, day=day).execution_id
        reject(stack)
        for name, *args in (
            ("incident", "incident", INCIDENT),
            ("incidents", "incidents"),
            ("timeline", "timeline", INCIDENT),
            ("diff", "diff", replay),
            ("follow", "incident", INCIDENT, "--follow", "--until-consensus"),
            ("dlq", "dlq", "peek"),
            ("doctor", "doctor"),
        ):
            draw(name, args)
        review()
        draw("reviews", ["reviews", INCIDENT])
        draw("hold", ["hold", INCIDENT, "--reason", "Post-incident review 2021-17", "--no-wait"])
        draw("holds", ["holds"])
        draw("stats", ["stats", "--since", "7d"], width=WIDE)
        draw("incident-light", ["incident", INCIDENT], DEFAULT_TERMINAL_THEME)
        capture_report()


def fill(stack: LocalStack, day: date) -> None:
    """Run the example executor and wait until everything is stored."""
    os.environ.update(stack.env)  # the producer's credentials, and what `recs` reads
    producer = RecommendationProducer(stack.queue_url, region_name=stack.region, endpoint_url=stack.endpoint_url)
    run_all(producer, day=day)
    producer.flush(timeout=30.0)
    producer.close()
    table = stack.client("dynamodb")
    wait_for(
        stack, lambda: table.scan(TableName=stack.table_name, Select="COUNT")["Count"], RECOMMENDATIONS, "were stored"
    )


def reject(stack: LocalStack) -> None:
    """Send what the consumer rejects, and wait until it is in the dead-letter queue."""
    sqs = stack.client("sqs")
    bodies = ("not JSON", '{"schemaVersion": 1, "incidentId": "incident-7"}')
    for body in bodies:
        sqs.send_message(QueueUrl=stack.queue_url, MessageBody=body)
    count = "ApproximateNumberOfMessages"

    def dead_letters() -> int:
        return int(sqs.get_queue_attributes(QueueUrl=stack.dlq_url, AttributeNames=[count])["Attributes"][count])

    wait_for(stack, dead_letters, len(bodies), "became dead letters")


def review() -> None:
    """Review what was recommended, and the incident."""
    found = recs("incident", INCIDENT, "--agent", "consensus", "--limit", "1", "-o", "jsonl")
    consensus = json.loads(found)["recommendationId"]
    recs("review", consensus, "--verdict", "partly", "--note", "Less load helped; it did not fix the cause.")
    cause, fix = "Streaming in Consul contended under load", "Streaming was disabled, and traffic admitted in steps"
    recs("review", "--incident", INCIDENT, "--root-cause", cause, "--resolved-by", fix)


def recs(*args: str) -> bytes:
    """Run a command whose output is not drawn, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "recommendation_cli", *args], check=True, stdout=subprocess.PIPE
    ).stdout


def wait_for(stack: LocalStack, count: Callable[[], int], expected: int, what: str) -> None:
    """Wait until the stack counts as many as expected."""
    deadline = time.monotonic() + WAIT
    while (counted := count()) < expected:
        stack.check()
        if time.monotonic() > deadline:
            sys.exit(f"only {counted} of {expected} messages {what} within {WAIT:.0f} s")
        time.sleep(0.25)


def draw(name: str, args: list[str], theme: TerminalTheme = SVG_EXPORT_THEME, width: int = WIDTH) -> None:
    """Draw what a command prints on a terminal, as SVG."""
    print(f"{name}.svg", flush=True)
    ours, theirs = pty.openpty()
    # A followed list is printed above a status line that only a real terminal can erase, so it gets no such line here.
    kind = {"TERM": "dumb", "FORCE_COLOR": "1"} if "--follow" in args else {"TERM": "xterm-256color"}
    environ = {**os.environ, **kind, "COLUMNS": str(width), "RECS_PAGER": "cat"}
    command = [sys.executable, "-m", "recommendation_cli", *args]
    with subprocess.Popen(command, env=environ, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        printed = bytearray()
        while chunk := _read(ours):
            printed += chunk
    os.close(ours)
    if process.returncode not in (0, 1):  # 1: the executions differ
        sys.exit(f"recs {' '.join(args)} exited with {process.returncode}:\n{printed.decode()}")
    console = Console(record=True, width=width, file=Path(os.devnull).open("w"), theme=Theme(), force_terminal=True)  # noqa: SIM115 - closed when the process exits
    console.print(Text(f"$ recs {' '.join(args)}", style="bold"))
    console.print(Text.from_ansi(PROGRESS.sub("", printed.decode()).replace("\r\n", "\n")))
    picture = WEB_FONT.sub("", console.export_svg(title="recs", theme=theme, unique_id=f"recs-{name}"))
    (FOLDER / f"{name}.svg").write_text(re.sub(r"[ \t]+$", "", picture, flags=re.MULTILINE))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other end was closed
        return b""


def chromium() -> str | None:
    """Return the path of Chromium, if it is installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def capture_report() -> None:
    """Capture the page that `recs report` writes."""
    program = chromium()
    if program is None:
        print("no report.png: Chromium is not installed")
        return
    print("report.png", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        recs("report", INCIDENT, "-o", str(page))
        command = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={folder}/profile", f"--window-size={PAGE[0]},{PAGE[1]}",
            f"--screenshot={FOLDER / 'report.png'}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
