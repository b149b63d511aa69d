-- Grain: kind of period x period x month in it, of the months that some force sent a return for. Kinds are rows of a seed. One
-- that ends with the run has the span before it too, to be compared with.
with months as (
    select distinct
        submissions.period as recorded_month,
        12 * extract(year from submissions.period) + extract(month from submissions.period) - 1 as month_no
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

run as (
    select
        period,
        12 * extract(year from period) + extract(month from period) - 1 as month_no
    from {{ ref('national_run') }}
),

placed as (
    select
        kinds.period_kind,
        kinds.n_months,
        months.recorded_month,
        -- How many months of its period went before it.
        cast(
            case
                when kinds.starts_in_month is not null then (months.month_no - kinds.starts_in_month + 1) % kinds.n_months
                else kinds.n_months - 1 - (run.month_no - months.month_no) % kinds.n_months
            end as integer
        ) as n_before
    from months
    cross join run
    cross join {{ ref('period_kinds') }} as kinds
    where
        kinds.starts_in_month is not null
        or run.month_no - months.month_no between 0 and 2 * kinds.n_months - 1
)

select
    period_kind,
    cast({{ dbt.dateadd('month', '-n_before', 'recorded_month') }} as date) as period,
    recorded_month,
    cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 'n_months - n_before', 'recorded_month')) }} as date) as period_end
from placed
