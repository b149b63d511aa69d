-- Offences as staged, and those that were refused as far as they can be read.
{{ let_in('offences', 'refused.crime_ref', 'refused.crime_ref is not null and refused.offence_code is not null and refused.reported_at is not null and refused.recorded_at is not null and refused.committed_from is not null and refused.status is not null') }}
