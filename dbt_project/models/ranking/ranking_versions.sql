-- Grain: the run, one row: the definition and the weights that all its allegations are ranked under; none where there is no
-- allegation.
select
    max(definition_id) as definition_id,
    max(definition_version) as definition_version,
    max(weights_version) as weights_version
from {{ ref('national_vawg_allegations') }}
having count(*) > 0
