"""report.py ARGUMENT…: runs pytest with these arguments and prints each test's outcome, as JSON."""

import contextlib
import io
import json
import sys

try:
    import pytest
except ModuleNotFoundError as error:
    sys.exit(f"{error}: the Python environment is an older one, `npm run test:python-env` brings it up to date")


class Report:
    """Collects outcomes: of tests, and of files that cannot be collected."""

    def __init__(self) -> None:
        self.outcomes: dict[str, dict[str, str]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._put(report.nodeid, "failed", str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._put(report.nodeid, "skipped", reason.removeprefix("Skipped: "))
        elif report.failed or report.when == "call":
            self._put(report.nodeid, report.outcome, report.longreprtext)

    def _put(self, test: str, outcome: str, detail: str) -> None:
        if self.outcomes.get(test, {}).get("outcome") != "failed":
            self.outcomes[test] = {"test": test, "outcome": outcome, "detail": detail}


report = Report()
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    code = pytest.main(["--quiet", *sys.argv[1:]], plugins=[report])
is_told = code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or report.outcomes
if not is_told:
    sys.exit(said.getvalue())
print(json.dumps(list(report.outcomes.values())))
