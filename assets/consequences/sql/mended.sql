-- Scenario by scenario, the records of a force mended: whom they touch, what these would be, how many records.
create table changed_persons as
with changes as (
    (
        select person_id, list_status, owner_force_code, score, latest_reported_at, max_severity_days, n_victims, n_incidents
        from now.ranking.scored_persons
        except
        select person_id, list_status, owner_force_code, score, latest_reported_at, max_severity_days, n_victims, n_incidents
        from mended.ranking.scored_persons
    )
    union all
    (
        select person_id, list_status, owner_force_code, score, latest_reported_at, max_severity_days, n_victims, n_incidents
        from mended.ranking.scored_persons
        except
        select person_id, list_status, owner_force_code, score, latest_reported_at, max_severity_days, n_victims, n_incidents
        from now.ranking.scored_persons
    )
)

select distinct person_id from changes;

create table changed_allegations as
(from now.repository.national_vawg_allegations except from mended.repository.national_vawg_allegations)
union
(from mended.repository.national_vawg_allegations except from now.repository.national_vawg_allegations);

-- By the forces whose allegations against them change; where none does, by every force that names them.
create table touched as
select distinct allegations.force_code, allegations.person_id
from changed_allegations as allegations
semi join changed_persons on allegations.person_id = changed_persons.person_id
union
select distinct allegations.force_code, allegations.person_id
from mended.repository.national_vawg_allegations as allegations
semi join changed_persons on allegations.person_id = changed_persons.person_id
anti join changed_allegations on allegations.person_id = changed_allegations.person_id;

create table alternatives as
select touched.force_code, persons.*
from touched
inner join mended.ranking.scored_persons as persons on touched.person_id = persons.person_id;

create table figures_mended as
from mended.marts.national_statistics
where force_code <> 'national' and breakdown = 'none';

create table counts as
select force_code, n_records, n_mended, n_rows from counts_of_mending;
