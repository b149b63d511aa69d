-- Grain: published table x force or nation x category: recorded crime as published beside ours, over the same months where
-- returns came in for any of them, else over the rolling year of the run, of which only shares of the total compare.
with codes as (
    select distinct
        categories.offence_category,
        codes.code as offence_code
    from {{ ref('recorded_crime_categories') }} as categories
    inner join {{ ref('offence_codes') }} as codes
        on
            (categories.offence_group is null or categories.offence_group = codes.offence_group)
            and (categories.offence_subgroup is null or categories.offence_subgroup = codes.offence_subgroup)
),

counts as (
    select
        recorded_month,
        force_code,
        breakdown_value as offence_code,
        n_offences
    from {{ ref('offence_counts') }}
    where definition_id = 'all_recorded_crime' and threat = 'all' and breakdown = 'offence_code'
),

months as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

tables as (
    select distinct
        table_id,
        period_from,
        period_to,
        source
    from {{ ref('recorded_crime_published') }}
),

same_months as (
    select
        tables.table_id,
        months.force_code,
        months.recorded_month,
        'same period' as basis
    from tables
    inner join months on months.recorded_month between tables.period_from and tables.period_to
),

compared_months as (
    select * from same_months

    union all

    select
        tables.table_id,
        months.force_code,
        months.recorded_month,
        'rolling year of the run' as basis
    from tables
    cross join {{ ref('national_run') }} as run
    inner join months
        on months.recorded_month > cast({{ dbt.dateadd('month', -12, 'run.period') }} as date)
    left join (select distinct table_id from same_months) as found on tables.table_id = found.table_id
    where found.table_id is null
),

ours as (
    select
        compared_months.table_id,
        compared_months.force_code,
        codes.offence_category,
        sum(counts.n_offences) as n_offences
    from compared_months
    inner join counts
        on compared_months.force_code = counts.force_code and compared_months.recorded_month = counts.recorded_month
    inner join codes on counts.offence_code = codes.offence_code
    group by compared_months.table_id, compared_months.force_code, codes.offence_category
),

coverage as (
    select
        table_id,
        force_code,
        min(basis) as basis,
        count(*) as n_months
    from compared_months
    group by table_id, force_code
),

-- Forces that sent a return: a nation of which a part came in is compared with that part of the table.
by_force as (
    select
        published.table_id,
        published.force_code,
        published.offence_category,
        coverage.basis,
        cast(1 as bigint) as n_forces,
        coverage.n_months as n_force_months,
        published.n_offences as n_published,
        coalesce(ours.n_offences, 0) as n_ours
    from {{ ref('recorded_crime_published') }} as published
    inner join coverage on published.table_id = coverage.table_id and published.force_code = coverage.force_code
    left join ours
        on
            published.table_id = ours.table_id
            and published.force_code = ours.force_code
            and published.offence_category = ours.offence_category
),

together as (
    select * from by_force

    union all

    select
        table_id,
        'national' as force_code,
        offence_category,
        min(basis) as basis,
        count(*) as n_forces,
        sum(n_force_months) as n_force_months,
        sum(n_published) as n_published,
        sum(n_ours) as n_ours
    from by_force
    group by table_id, offence_category
),

totals as (
    select
        table_id,
        force_code,
        n_published,
        n_ours
    from together
    where offence_category = 'total_recorded_crime_excluding_fraud'
),

compared as (
    select
        together.*,
        case when totals.n_published > 0 then cast(together.n_published as double precision) / totals.n_published end
            as published_share,
        case when totals.n_ours > 0 then cast(together.n_ours as double precision) / totals.n_ours end as ours_share
    from together
    left join totals on together.table_id = totals.table_id and together.force_code = totals.force_code
)

select
    compared.table_id,
    tables.period_from,
    tables.period_to,
    compared.force_code,
    compared.offence_category,
    compared.basis,
    compared.n_forces,
    cast(compared.n_force_months as bigint) as n_force_months,
    compared.basis = 'same period' and compared.n_force_months = 12 * compared.n_forces as is_count_comparable,
    cast(compared.n_published as bigint) as n_published,
    cast(compared.n_ours as bigint) as n_ours,
    cast(compared.n_ours - compared.n_published as bigint) as difference,
    case when compared.n_published > 0 then cast(compared.n_ours as double precision) / compared.n_published - 1 end
        as difference_share,
    compared.published_share,
    compared.ours_share,
    compared.ours_share - compared.published_share as share_difference,
    tables.source
from compared
inner join tables on compared.table_id = tables.table_id
