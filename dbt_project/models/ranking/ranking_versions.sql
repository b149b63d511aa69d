-- Grain: the run, one row: the definition and the weights that all its allegations are ranked under.
select
    max(definition_id) as definition_id,
    max(definition_version) as definition_version,
    max(weights_version) as weights_version
from {{ ref('national_vawg_allegations') }}
