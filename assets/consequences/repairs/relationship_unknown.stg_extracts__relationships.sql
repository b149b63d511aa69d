-- Relationships as staged, those recorded as unknown in the force's most frequent known word instead.
{{ relationships("mappings.national_code = 'UNK'") }}
