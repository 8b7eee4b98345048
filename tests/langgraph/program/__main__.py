"""Run all cases with this environment's langgraph, and print the answers as JSON."""

import importlib.metadata
import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")  # of libraries about each other

from tests.langgraph.program import nodes, states, subgraphs, whole_graphs  # noqa: E402, F401 - they register cases
from tests.langgraph.program.running import CASES, run_case  # noqa: E402 - after the filter

logging.getLogger("recommendation_producer").setLevel(logging.ERROR)
answers = {case.name: run_case(case) for case in CASES}
json.dump({"version": importlib.metadata.version("langgraph"), "cases": answers}, sys.stdout)
