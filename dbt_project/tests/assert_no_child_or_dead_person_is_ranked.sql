-- Judged again from the nominals, not from the gates the list itself uses.
select perpetrators.person_id
from {{ ref('ranked_perpetrators') }} as perpetrators
inner join {{ ref('national_person_records') }} as records on perpetrators.person_id = records.person_id
cross join {{ ref('national_run') }} as run
where
    records.date_of_birth > {{ dbt.dateadd('year', -18, 'run.period_end') }}
    or records.deceased_on <= run.period_end
