-- One row a force that sent something: how many records, and what would change.
with forces as (
    select distinct force_code from now.repository.national_submissions where is_in
),

figures as (
    select
        force_code,
        count(*) filter (of_whom = 'force') as n_figures,
        count(*) filter (of_whom = 'nation') as n_national_figures
    from changed_figures
    group by force_code
),

largest as (
    select changed_figures.*
    from changed_figures
    inner join now.repository.national_run as run
        on changed_figures.period = run.period and changed_figures.period_kind = 'month'
    inner join now.codes.statistics_measures as measures on changed_figures.measure = measures.measure
    where changed_figures.value_now is not null and changed_figures.value_mended is not null
    qualify row_number() over (
        partition by changed_figures.force_code
        order by
            changed_figures.of_whom asc,
            case when measures.is_headline then 0 else 1 end,
            case when measures.kind = 'count' then 0 else 1 end,
            abs(changed_figures.numerator_change) desc,
            abs(changed_figures.difference) desc,
            changed_figures.measure, changed_figures.definition_id, changed_figures.threat
    ) = 1
),

lists as (
    select
        force_code,
        count(*) filter (list_kind = 'national' and movement = 'enters') as n_enter_national,
        count(*) filter (list_kind = 'national' and movement = 'leaves') as n_leave_national,
        count(*) filter (list_kind = 'scope' and movement = 'enters') as n_enter_scope,
        count(*) filter (list_kind = 'scope' and movement = 'leaves') as n_leave_scope,
        count(*) filter (list_kind = 'eligible' and movement = 'enters') as n_become_eligible,
        count(*) filter (list_kind = 'eligible' and movement = 'leaves') as n_no_longer_eligible
    from list_changes
    group by force_code
)

select
    forces.force_code,
    cast(coalesce(counts.n_records, 0) as bigint) as n_records,
    cast(coalesce(counts.n_mended, 0) as bigint) as n_mended,
    cast(coalesce(counts.n_rows, 0) as bigint) as n_rows,
    case when counts.n_rows > 0 then counts.n_records / counts.n_rows end as records_share,
    coalesce(figures.n_figures, 0) as n_figures,
    coalesce(figures.n_national_figures, 0) as n_national_figures,
    largest.of_whom as largest_of_whom,
    largest.measure as largest_measure,
    largest.definition_id as largest_definition_id,
    largest.threat as largest_threat,
    largest.value_now as largest_value_now,
    largest.value_mended as largest_value_mended,
    coalesce(lists.n_enter_national, 0) as n_enter_national,
    coalesce(lists.n_leave_national, 0) as n_leave_national,
    coalesce(lists.n_enter_scope, 0) as n_enter_scope,
    coalesce(lists.n_leave_scope, 0) as n_leave_scope,
    coalesce(lists.n_become_eligible, 0) as n_become_eligible,
    coalesce(lists.n_no_longer_eligible, 0) as n_no_longer_eligible
from forces
left join counts on forces.force_code = counts.force_code
left join figures on forces.force_code = figures.force_code
left join largest on forces.force_code = largest.force_code
left join lists on forces.force_code = lists.force_code
order by forces.force_code
