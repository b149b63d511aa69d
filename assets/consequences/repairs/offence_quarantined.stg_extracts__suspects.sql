-- Suspects as staged, and those that were refused as far as they can be read.
{{ let_in('suspects', 'refused.crime_ref, refused.suspect_no', 'refused.crime_ref is not null and refused.suspect_no is not null and refused.status is not null') }}
