-- Victims as staged, and those that were refused as far as they can be read.
{{ let_in('victims', 'refused.crime_ref, refused.victim_no', 'refused.crime_ref is not null and refused.victim_no is not null and refused.victim_type is not null') }}
