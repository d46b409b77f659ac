"""What queries answer to series that are made up: promtool evaluates them, answers.json has series and answers.

For what the demo cannot bring about, and for what must not break a panel: two exporters on one property, two Prometheus
jobs, series that come and go.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dashboards
from dashboards import substituted

CASES = Path(__file__).with_name("answers.json")
VALUES = {"__rate_interval": "2m", "property": "1", "window": "30m", "job": ".+", "instance": ".+"}


@dataclass(frozen=True)
class Case:
    """One question to one query."""

    content: dict[str, Any]

    @property
    def place(self) -> tuple[str, str, str]:
        return self.content["dashboard"], self.content["panel"], self.content["query"]

    def as_rule_test(self, text: str) -> dict[str, Any]:
        """As promtool wants it, a sample a minute."""
        values = {**VALUES, **self.content.get("variables", {})}
        expected = [{"labels": labels, "value": value} for labels, value in self.content["answer"].items()]
        return {
            "name": self.content["case"],
            "interval": "1m",
            "input_series": [{"series": name, "values": samples} for name, samples in self.content["series"].items()],
            "promql_expr_test": [
                {"expr": substituted(text, values), "eval_time": self.content["at"], "exp_samples": expected}
            ],
        }


def cases() -> list[Case]:
    return [Case(content) for content in json.loads(CASES.read_text())]


def main() -> int:
    texts = {query.place: query.text for one in dashboards.load() for query in one.queries}
    unknown = [case.place for case in cases() if case.place not in texts]
    if unknown:
        print(f"no dashboard has {unknown}")
        return 1
    tests = [case.as_rule_test(texts[case.place]) for case in cases()]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "answers_test.yml"
        # JSON is YAML.
        path.write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))
        done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, done.stderr)
        return 1
    print(f"{len(tests)} answers are as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
