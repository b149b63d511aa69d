-- Every recorded-crime class has an explicit row, and none weighs nothing.
select codes.code
from {{ ref('offence_codes') }} as codes
left join {{ ref('harm_weights') }} as weights on codes.code = weights.offence_code
group by codes.code
having count(weights.offence_code) <> 1 or coalesce(min(weights.cchi_days), 0) <= 0
