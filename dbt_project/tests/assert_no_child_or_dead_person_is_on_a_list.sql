-- Judged again from the nominals. Who is held because nobody knows their age has no birth date, and no score there.
select
    lists.list_kind,
    lists.person_id
from {{ ref('perpetrator_lists') }} as lists
inner join {{ ref('national_person_records') }} as records on lists.person_id = records.person_id
cross join {{ ref('national_run') }} as run
where
    records.date_of_birth > {{ dbt.dateadd('year', -18, 'run.period_end') }}
    or records.deceased_on <= run.period_end
    or (lists.reason = 'age_unknown' and lists.score is not null)
