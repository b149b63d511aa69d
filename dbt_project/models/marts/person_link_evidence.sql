-- Grain: one link that holds a person together: without any one of a person's links, the person falls in two.
select
    person_id,
    record_id_l,
    record_id_r,
    link_weight,
    cast(bits_name as double precision) as bits_name,
    cast(bits_middle as double precision) as bits_middle,
    cast(bits_date_of_birth as double precision) as bits_date_of_birth,
    cast(bits_postcode as double precision) as bits_postcode,
    cast(bits_identifiers as double precision) as bits_identifiers,
    cast(bits_phone as double precision) as bits_phone,
    cast(bits_sex as double precision) as bits_sex,
    cast(bits_force as double precision) as bits_force,
    veto,
    is_weakest
from {{ source('linkage', 'person_evidence') }}
