"""A small warehouse of made-up allegations, as the monitoring station reads it: only the columns that it asks for."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import polars as pl

from assets.storage import Layout, write_parquet
from assets.warehouse import PROJECT_FOLDER
from tests.assets.monitoring.made_up_events import START

CODES = PROJECT_FOLDER.parent / "data_contracts" / "codes"
SEEDS = PROJECT_FOLDER / "seeds"
FORCES = ("E23000001", "E23000002", "E23000003", "E23000004", "E23000005")
AS_OF = datetime(2026, 1, 1)


def of_years(years: int) -> datetime:
    """The last second of made-up events of so many years."""
    return datetime(START.year + years - 1, 12, 31, 23, 59, 59)


def fill(
    layout: Layout, rows: pl.DataFrame, ranked_at: datetime, persons: pl.DataFrame | None = None
) -> None:
    """Write the warehouse of `rows` (as `made_up_events.events`) and the run's parameters.

    `persons`: person_id with any of is_child, is_deceased, withheld, self_defined, officer_defined, sex; others are adult
    White men.
    """
    layout.warehouse.unlink(missing_ok=True)
    everybody = rows.select("person_id").unique().sort("person_id")
    if persons is not None:
        everybody = everybody.join(persons, on="person_id", how="left")
    plain = {"is_child": False, "is_deceased": False, "withheld": False, "self_defined": "W1", "officer_defined": "IC1", "sex": "M"}  # fmt: skip
    everybody = everybody.with_columns(
        (pl.col(name).fill_null(value) if name in everybody.columns else pl.lit(value)).alias(name)
        for name, value in plain.items()
    )
    rows = rows.with_columns(
        force_code=pl.col("force_code").replace_strict(
            dict(zip((f"F{i}" for i in range(5)), FORCES, strict=True))
        )
    )
    run = {"period": date(ranked_at.year, ranked_at.month, 1), "period_end": ranked_at.date(), "ranked_at": ranked_at, "as_of": AS_OF}  # fmt: skip
    write_parquet(pl.DataFrame([run]), layout.run / "run_parameters.parquet")
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.register("given", rows)
        connection.register("everybody", everybody)
        connection.register("run", pl.DataFrame([run]))
        for folder, names in (
            (SEEDS, ("outcome_treatment", "age_bands", "ranking_parameters")),
            (CODES, ("ethnicity_self_defined", "ethnicity_officer_defined", "forces", "offence_codes")),
        ):
            connection.execute("create schema if not exists codes")
            for name in names:
                types = (
                    ", types={'code': 'varchar'}"
                    if "code" in (folder / f"{name}.csv").read_text().splitlines()[0].split(",")
                    else ""
                )
                connection.execute(
                    f"create table codes.{name} as from read_csv('{folder}/{name}.csv'{types})"
                )
        connection.execute(_TABLES)


_TABLES = """
create schema repository; create schema standardised; create schema staging; create schema marts;
create table repository.national_run as from run;
create table repository.national_vawg_allegations as
    select distinct on (person_id, event_id)
        person_id, event_id as offence_id, force_code, reported_on::timestamp as reported_at,
        occurred_on::timestamp as committed_from, harm_days as severity_days, harm_days * 2 as ons_css_weight,
        '15' as outcome_code, reported_on as outcome_on, 'named' as suspect_status, 1.0::double as link_probability,
        outcome <> 'acquitted' as is_counted, 30 as age_at_offence,
        case when outcome = 'acquitted' then 'acquitted, no case to answer or quashed' end as not_counted_reason
    from given order by all;
create table repository.national_person_gates as select person_id, is_child, is_deceased, withheld from everybody;
create table repository.national_persons as
    select person_id, sex, date '1990-01-01' as latest_date_of_birth from everybody;
create table repository.national_person_records as select person_id || '|r' as record_id, person_id from everybody;
create table standardised.std_persons as
    select person_id || '|r' as record_id, 'F' as force_code, person_id as person_ref, 's' as submission_id,
        timestamp '2026-01-01' as extracted_at
    from everybody;
create table staging.stg_extracts__persons as
    select 'F' as force_code, person_id as person_ref, 's' as submission_id,
        self_defined as ethnicity_self_defined, officer_defined as ethnicity_officer_defined
    from everybody;
create table repository.national_involvements as
    select distinct event_id as offence_id, 'victim' as role, 'F' as sex, victim_id as person_id from given
    where victim_id is not null;
create table repository.national_offences as
    select offence_id, any_value(force_code) as force_code, any_value(reported_at) as reported_at,
        any_value(committed_from) as committed_from, 'live' as status, '8N' as offence_code
    from repository.national_vawg_allegations group by offence_id
    union all
    select 'unnamed' || code || number, code, timestamp '2021-06-01' + to_days(number), timestamp '2021-06-01', 'live', '8N'
    from codes.forces cross join generate_series(1, 40) as numbers(number)
    where code in (select force_code from given);
create table repository.national_offence_scopes as
    select offence_id, 'npcc_policing_scope' as definition_id, 'all' as threat, true as is_counted
    from repository.national_offences;
create table marts.ranked_perpetrators as
    select person_id, row_number() over (order by sum(severity_days) desc, person_id) as national_rank,
        min(force_code) as owner_force_code
    from repository.national_vawg_allegations group by person_id;
create table marts.perpetrator_lists as
    select person_id, 'national_top' as list_kind, 'likely_harm' as lens
    from marts.ranked_perpetrators inner join repository.national_person_gates using (person_id)
    where national_rank <= 100 and not is_child and not is_deceased and not withheld;
create table marts.ranked_perpetrator_uncertainty as
    select person_id, case when national_rank <= 80 then 1.0::double else .45::double end as p_in_national_top,
        .95::double as p_in_force_top
    from marts.ranked_perpetrators where national_rank <= 185;
create table marts.ranked_perpetrator_offences as
    select person_id, offence_id, is_counted, 0.0 as contribution from repository.national_vawg_allegations;
create table marts.ranking_data_gates as
    select distinct force_code, 10::bigint as n_crimes, .5::double as named_suspect_share,
        .5::double as identifiable_suspect_share, 1.0::double as sure_link_share, 1.0::double as victim_sex_known_share,
        30.0::double as outcome_lag_days, 1.0::double as mapped_share, 0::bigint as months_behind, false as has_caveat,
        null::varchar as caveat
    from repository.national_vawg_allegations;
"""
