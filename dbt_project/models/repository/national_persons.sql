-- Grain: one person, as linked across forces. Where nominals differ, what protects wins: the latest birth date for the
-- adult gate, any death, custody from the nominal extracted last.
with ranked as (
    select
        records.*,
        row_number() over (
            partition by records.person_id
            order by
                case when records.in_custody in ('Y', 'N') then 0 else 1 end,
                records.extracted_at desc,
                records.record_id asc
        ) as custody_rank
    from {{ ref('national_person_records') }} as records
)

select
    person_id,
    min(person_no) as person_no,
    min(person_group_id) as person_group_id,
    count(*) as n_records,
    count(distinct force_code) as n_forces,
    min(link_probability) as lowest_link_probability,
    max(case when withheld then 1 else 0 end) = 1 as withheld,
    min(withheld_reasons) as withheld_reasons,
    min(date_of_birth) as earliest_date_of_birth,
    max(date_of_birth) as latest_date_of_birth,
    case when min(sex) = max(sex) then min(sex) end as sex,
    min(deceased_on) as deceased_on,
    coalesce(max(case when custody_rank = 1 then in_custody end), 'U') as in_custody,
    max(model_version) as model_version
from ranked
group by person_id
