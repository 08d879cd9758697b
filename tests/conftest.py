"""Every test runs: a run with a skipped or expectedly failing test has not passed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CHOSEN_WAYS = ("node_port", "port_forward", "https")
"""Of tests/e2e/ways, what the test command runs; tests/ways runs all of them."""

left_out = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-ways", action="store_true", help="every way in, not a chosen few: see tests/ways"
    )


def pytest_report_header(config: pytest.Config) -> str:
    chosen = "all" if config.getoption("--all-ways") else ", ".join(CHOSEN_WAYS)
    return f"ways in: {chosen}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file that is named on the command line is not asked about here."""
    name = collection_path.stem.removeprefix("test_")
    other = collection_path.parent.name == "ways" and collection_path.name.startswith("test_")
    if other and name not in CHOSEN_WAYS and not config.getoption("--all-ways"):
        return True
    return None


def pytest_configure(config: pytest.Config) -> None:
    config.stash[left_out] = []
    config.pluginmanager.register(_Witness(config.stash[left_out]))


class _Witness:
    """Notes what was left out, by the reports that every plug-in must make of it."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "wasxfail"):
            self._seen.append(f"{report.nodeid}: xfail ({report.wasxfail or 'no reason'})")
        elif report.skipped:
            self._seen.append(f"{report.nodeid}: skipped ({_reason(report)})")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._seen.append(f"{report.nodeid}: skipped ({_reason(report)})")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.stash[left_out]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[left_out]:
        terminalreporter.section("FAILED: tests were left out", red=True)
        for line in config.stash[left_out]:
            terminalreporter.line(line)
