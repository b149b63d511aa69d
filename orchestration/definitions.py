"""The whole house on one page: what exists, when it runs, with what.

landing -> submissions -> run_inputs -> text_signs -> staging, standardised -> person_links -> repository -> marts
-> monitoring, forecasts -> release
"""

import dagster as dg

from assets import release as release_station
from assets import run_inputs as run_station
from assets import submissions as intake_station
from assets.consequences import station as consequence_station
from assets.forecasts import station as forecast_station
from assets.linkage import linkage_model as training_station
from assets.linkage import person_links as linkage_station
from assets.linkage import person_relink as relink_station
from assets.monitoring import monthly as monitoring_station
from assets.text_flags import text_signs as text_station
from assets.warehouse import national_repository, standardised_extracts
from orchestration import jobs, resources, schedules, sensors
from orchestration.progress import progress_log


def build_defs(**resource_overrides: object) -> dg.Definitions:
    """The platform as one code location; tests pass resources of their own."""
    return dg.Definitions(
        assets=[
            # what forces sent
            intake_station.force_returns,
            intake_station.submissions,
            # which month, as known when
            run_station.run_inputs,
            # what free texts say
            text_station.text_signs,
            # one national meaning
            standardised_extracts,
            # who is who
            linkage_station.person_links,
            training_station.linkage_model,
            relink_station.person_relink,
            # the repository and what is read from it
            national_repository,
            # whether the list can be trusted, every month
            monitoring_station.ranking_monitoring,
            # a year ahead
            forecast_station.threat_forecasts,
            # what readers see
            release_station.release,
            # which error matters, when somebody asks
            consequence_station.defect_consequences,
        ],
        asset_checks=[
            intake_station.nothing_is_lost,
            intake_station.none_is_held,
            run_station.every_force_reported,
            linkage_station.every_record_has_one_person,
            linkage_station.identities_are_steady,
            relink_station.months_equal_relink,
            monitoring_station.ranking_alerts,
            release_station.release_matches_its_manifest,
        ],
        jobs=[
            jobs.intake,
            jobs.national_month,
            jobs.national_marts,
            jobs.train_linkage,
            jobs.full_relink,
            jobs.consequences,
        ],
        sensors=[sensors.landing],
        schedules=[schedules.monthly_release],
        loggers={"progress": progress_log},
        resources={
            "data_root": resources.data_root(),
            "release_key": resources.release_key(),
            "dbt": resources.dbt(),
            **resource_overrides,
        },
    )


defs = build_defs()


def intake_job() -> dg.JobDefinition:
    return defs.resolve_job_def("intake")


def national_month_job() -> dg.JobDefinition:
    return defs.resolve_job_def("national_month")


def national_marts_job() -> dg.JobDefinition:
    return defs.resolve_job_def("national_marts")
