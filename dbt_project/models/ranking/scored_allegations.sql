-- Grain: person x crime: one allegation with its terms and what it adds to the person's score. Rows of a person sum to
-- the score exactly: contributions are decimals, and what is not counted adds 0.
--   contribution = m_p * s^a * 2^(-age/h) * o * l
-- A view: a row is a few multiplications of what stands in the repository, and to write millions of them takes longer
-- than to make them.
{{ config(materialized='view') }}
select *
from ({{ scored_allegations_of(ref('person_multipliers')) }}) as offences
