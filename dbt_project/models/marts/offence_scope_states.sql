-- Grain: one crime recorded lately, counted or not: what the statistics of this release made of it. The next release reads it
-- to say which crimes made a figure of then another.
with parameters as (
    {{ statistics_parameters(['revision_months']) }}
),

sets as (
    select distinct
        definition_bits,
        threat_bits
    from {{ ref('offence_scope_bits') }}
),

named_sets as (
    {% for kind in ['definition', 'threat'] %}
        select
            '{{ kind }}' as kind,
            found.bits,
            {{ list_as_text(distinct_list('scopes.scope_id')) }} as scope_ids
        from (select distinct {{ kind }}_bits as bits from sets) as found
        left join {{ ref('scope_bits') }} as scopes
            on scopes.kind = '{{ kind }}' and {{ has_bit('found.bits', 'scopes.bit') }}
        group by found.bits
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

versions as (
    select {{ list_as_text(distinct_list("definition_id || '@' || version")) }} as definition_versions
    from {{ ref('vawg_definitions') }}
)

select
    offences.offence_id,
    offences.force_code,
    offences.recorded_month,
    offences.offence_code,
    counted.offence_id is not null as is_counted,
    coalesce(definitions.scope_ids, '') as definitions,
    coalesce(threats.scope_ids, '') as threats,
    versions.definition_versions
from {{ ref('national_offences') }} as offences
cross join {{ ref('national_run') }} as run
cross join parameters
cross join versions
left join {{ ref('statistical_offences') }} as counted on offences.offence_id = counted.offence_id
left join named_sets as definitions
    on definitions.kind = 'definition' and counted.definition_bits = definitions.bits
left join named_sets as threats on threats.kind = 'threat' and counted.threat_bits = threats.bits
where
    offences.recorded_month
    > cast({{ dbt.dateadd('month', '-cast(parameters.revision_months as integer)', 'run.period') }} as date)
