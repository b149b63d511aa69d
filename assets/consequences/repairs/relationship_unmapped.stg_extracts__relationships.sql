-- Relationships as staged, those in words without a national code in the force's most frequent known word instead.
{{ relationships("mappings.national_code is null") }}
