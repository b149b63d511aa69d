-- Grain: one person, known or not, in one role in one crime. The same person may be a victim here and a suspect there.
with involvements as (
    select
        offence_id,
        'victim' as role,
        victim_no as role_no,
        force_code,
        submission_period,
        record_id,
        is_person,
        sex,
        age,
        age as youngest_age,
        victim_type,
        dash_risk,
        supports_prosecution,
        cast(null as {{ dbt.type_string() }}) as suspect_status,
        cast(null as boolean) as is_identified,
        cast(null as boolean) as allegation_stands,
        cast(null as date) as arrested_on,
        cast(null as date) as charged_on
    from {{ ref('std_victims') }}

    union all

    select
        offence_id,
        'suspect' as role,
        suspect_no as role_no,
        force_code,
        submission_period,
        record_id,
        true as is_person,
        sex,
        age,
        youngest_age,
        cast(null as {{ dbt.type_string() }}) as victim_type,
        cast(null as {{ dbt.type_string() }}) as dash_risk,
        cast(null as {{ dbt.type_string() }}) as supports_prosecution,
        status as suspect_status,
        is_identified,
        allegation_stands,
        arrested_on,
        charged_on
    from {{ ref('std_suspects') }}
),

distinct_ages as (
    select distinct age
    from involvements
    where age is not null
),

ages as (
    select
        distinct_ages.age,
        bands.age_band
    from distinct_ages
    inner join {{ ref('age_bands') }} as bands on distinct_ages.age between bands.age_min and bands.age_max
)

select
    involvements.offence_id || '|' || involvements.role || '|' || cast(involvements.role_no as {{ dbt.type_string() }})
        as involvement_id,
    involvements.offence_id,
    involvements.role,
    involvements.role_no,
    involvements.force_code,
    involvements.submission_period,
    records.record_id,
    records.person_id,
    records.person_no,
    records.link_probability,
    involvements.is_person,
    involvements.sex,
    involvements.age,
    involvements.youngest_age,
    case when involvements.is_person then coalesce(ages.age_band, 'unknown') end as age_band,
    involvements.victim_type,
    involvements.dash_risk,
    involvements.supports_prosecution,
    involvements.suspect_status,
    involvements.is_identified,
    involvements.allegation_stands,
    involvements.arrested_on,
    involvements.charged_on
from involvements
left join ages on involvements.age = ages.age
left join {{ ref('national_person_records') }} as records on involvements.record_id = records.record_id
