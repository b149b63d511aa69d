-- In a copy of the warehouse: whoever several forces name, once more for each of these forces, without what it says.
-- The id says so: the person's, then ~, which stands in no id, then the force's code; the number is one that nobody has.
create temp table copies as
select
    allegations.person_id,
    allegations.force_code,
    cast(
        (select max(person_no) from repository.national_persons)
        + row_number() over (order by allegations.person_id, allegations.force_code) as integer
    ) as person_no
from repository.national_vawg_allegations as allegations
semi join (
    select person_id
    from repository.national_vawg_allegations
    group by person_id
    having count(distinct force_code) > 1
) as several on allegations.person_id = several.person_id
group by allegations.person_id, allegations.force_code;
insert into repository.national_vawg_allegations
select rows.* replace (rows.person_id || '~' || copies.force_code as person_id, copies.person_no as person_no)
from repository.national_vawg_allegations as rows
inner join copies on rows.person_id = copies.person_id and rows.force_code <> copies.force_code;
insert into repository.national_persons
select rows.* replace (rows.person_id || '~' || copies.force_code as person_id, copies.person_no as person_no)
from repository.national_persons as rows
inner join copies on rows.person_id = copies.person_id;
insert into repository.national_incidents
select rows.* replace (rows.suspect_person_id || '~' || copies.force_code as suspect_person_id)
from repository.national_incidents as rows
inner join copies on rows.suspect_person_id = copies.person_id and rows.force_code <> copies.force_code;
insert into repository.national_list_decisions
select rows.* replace (rows.person_id || '~' || copies.force_code as person_id)
from repository.national_list_decisions as rows
inner join copies on rows.person_id = copies.person_id
