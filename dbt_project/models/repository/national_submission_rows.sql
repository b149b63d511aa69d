-- Grain: submission x extract.
select
    rows_of_extracts.submission_id,
    rows_of_extracts.extract,
    submissions.force_code,
    submissions.period,
    cast(rows_of_extracts.n_received as bigint) as n_received,
    cast(rows_of_extracts.n_accepted as bigint) as n_accepted,
    cast(rows_of_extracts.n_quarantined as bigint) as n_quarantined
from {{ ref('stg_run__submission_rows') }} as rows_of_extracts
inner join {{ ref('stg_run__submissions') }} as submissions
    on rows_of_extracts.submission_id = submissions.submission_id
