"""A part a test needs and does not find: said on a desk, a failure in CI. Outside data may be absent."""

import os

import pytest

OUTSIDE = ("shared", "PANHUO_SHARED")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(word in reason for word in OUTSIDE):
            report.outcome = "failed"
            report.longrepr = f"in CI a missing part is a failure: {reason}"
    return report
