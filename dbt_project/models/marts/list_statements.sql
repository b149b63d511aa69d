-- Grain: sentence that must stand beside a list, a row of it or a figure about it, in the order to show them.
select
    statement_id,
    version,
    mart,
    shown_with,
    shown_when,
    statement_no,
    statement,
    source
from {{ ref('ranking_statements') }}
