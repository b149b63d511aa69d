-- Relationships as staged, and those that were refused as far as they can be read.
{{ let_in('relationships', 'refused.crime_ref, refused.victim_no, refused.suspect_no', 'refused.crime_ref is not null and refused.victim_no is not null and refused.suspect_no is not null and refused.relationship is not null') }}
