"""Every test runs: a run with a skipped or expectedly failing test has not passed."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

left_out = pytest.StashKey[list[str]]()


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
