-- Scenario by scenario, a force left out: whom it touches, what they would be, how much is left out.
create table touched as
select distinct allegations.force_code, allegations.person_id
from now.repository.national_vawg_allegations as allegations
semi join now.ranking.scored_persons as persons on allegations.person_id = persons.person_id;

create table alternatives as
select
    split_part(persons.person_id, '~', 2) as force_code,
    persons.* replace (split_part(persons.person_id, '~', 1) as person_id)
from mended.ranking.scored_persons as persons
where contains(persons.person_id, '~');

create table figures_mended as
from now.marts.national_statistics
where false;

create table counts as
select
    force_code,
    count(*) as n_records,
    count(*) as n_mended,
    sum(count(*)) over () as n_rows
from now.repository.national_vawg_allegations
group by force_code;
