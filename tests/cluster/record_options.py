# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks of pytest that write down which options were seen working, where HUBFLEET_TEST_RECORD names the chart."""

from __future__ import annotations

import os

import pytest
from cluster_options import update_record, with_options

_passed: set[str] = set()
_failed: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "options(*names): options that the test shows at work in a real hub")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Attach the named options to the report of the test, which xdist passes on."""
    names = [name for marker in item.iter_markers("options") for name in with_options(iter(marker.args))]
    item.user_properties.append(("options", names))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the options of tests that passed, and of those that failed anywhere."""
    names = dict(report.user_properties).get("options", ())
    if report.failed:
        _failed.update(names)
    elif report.when == "call" and report.passed:
        _passed.update(names)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record once: of the processes of xdist, only the first sees all reports."""
    chart = os.environ.get("HUBFLEET_TEST_RECORD")
    if chart and not hasattr(session.config, "workerinput") and (_passed or _failed):
        update_record(chart, _passed, _failed)
