"""The console log: one line a step, for a person who waits."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import dagster as dg


class _Steps(logging.Handler):
    """Prints the start and end of steps, and warnings and errors of our own; leaves out the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.began: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {}) or {}
        event: dg.DagsterEvent | None = meta.get("dagster_event")
        step = meta.get("step_key") or ""
        kind = event.event_type_value if event else ""
        if kind == "STEP_START":
            self.began[step] = time.monotonic()
            self._print(f"  {step} ...")
        elif kind == "STEP_SUCCESS":
            seconds = time.monotonic() - self.began.get(step, time.monotonic())
            self._print(f"  {step} done, {seconds:.1f} s")
        elif event and kind == "STEP_FAILURE":
            self._print(f"  {step} FAILED: {_reason(event)}")
        elif event and kind == "ASSET_CHECK_EVALUATION":
            check: Any = event.event_specific_data
            if not check.passed:
                self._print(f"    check {check.check_name}: not passed ({check.severity.value.lower()})")
        elif event is None and record.levelno >= logging.ERROR:
            self._print(f"    {record.getMessage()}")

    @staticmethod
    def _print(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _reason(event: dg.DagsterEvent) -> str:
    error = getattr(event.event_specific_data, "error", None)
    cause = getattr(error, "cause", None) or error
    return (cause.message if cause else event.message or "").strip()


def _console(_: dg.InitLoggerContext) -> logging.Logger:
    log = logging.Logger("vawg", level=logging.DEBUG)
    log.addHandler(_Steps())
    return log


progress_log = dg.LoggerDefinition(_console, description="One line a step, with its seconds.")
