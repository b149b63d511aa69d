"""Schedules: the national month runs once forces have had time to send and to mend."""

import dagster as dg

from orchestration.jobs import national_month

monthly_release = dg.build_schedule_from_partitioned_job(
    national_month,
    name="monthly_release",
    # Returns are due in the first half of the month; the 20th leaves days for resubmission.
    day_of_month=20,
    hour_of_day=2,
    description="The release of the month before, on the 20th at 02:00.",
)
