"""The console log: one line a step, for a person who waits."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import dagster as dg


class _Steps(logging.Handler):
    """Prints the start and end of stations, checks that did not pass, and why a station failed."""

    def __init__(self, checks: set[str]) -> None:
        super().__init__()
        self.began: dict[str, float] = {}
        self.checks = checks

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {}) or {}
        event: dg.DagsterEvent | None = meta.get("dagster_event")
        if event is None:
            return
        kind, step, data = event.event_type_value, event.step_key or "", event.event_specific_data
        if kind == "ASSET_CHECK_EVALUATION":
            self._check(data)
        elif kind == "STEP_FAILURE":
            self._print(f"  {step} FAILED: {_reason(event)}")
        elif step not in self.checks:
            self._station(kind, step)

    def _station(self, kind: str, step: str) -> None:
        if kind == "STEP_START":
            self.began[step] = time.monotonic()
            self._print(f"  {step} ...")
        elif kind == "STEP_SUCCESS":
            self._print(f"  {step} done, {time.monotonic() - self.began[step]:.1f} s")

    def _check(self, check: Any) -> None:
        if not check.passed:
            self._print(f"    check {check.check_name}: not passed ({check.severity.value.lower()})")

    @staticmethod
    def _print(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _reason(event: dg.DagsterEvent) -> str:
    error = getattr(event.event_specific_data, "error", None)
    cause = getattr(error, "cause", None) or error
    return (cause.message if cause else event.message or "").strip()


def _console(context: dg.InitLoggerContext) -> logging.Logger:
    checks: set[str] = set()
    if context.job_def:
        keys = context.job_def.asset_layer.asset_graph.asset_check_keys
        checks = {f"{k.asset_key.to_python_identifier()}_{k.name}" for k in keys}
    log = logging.Logger("vawg", level=logging.DEBUG)
    log.addHandler(_Steps(checks))
    return log


progress_log = dg.LoggerDefinition(_console, description="One line a step, with its seconds.")
