{#
    What differs between engines and `dbt.*` does not cover. DuckDB is what is run and tested;
    the defaults are PostgreSQL's words, Spark's stand beside them where they differ.
#}

{# Every match of `pattern` in `text` replaced. #}
{% macro regexp_replace_all(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('regexp_replace_all', 'vawg')(text, pattern, replacement)) }}
{%- endmacro %}
{% macro default__regexp_replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ pattern }}, {{ replacement }}, 'g')
{%- endmacro %}
{% macro spark__regexp_replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ pattern }}, {{ replacement }})
{%- endmacro %}

{# The distinct values of a group as a sorted list; an empty list where there are none. #}
{% macro distinct_list(expression) -%}
    {{ return(adapter.dispatch('distinct_list', 'vawg')(expression)) }}
{%- endmacro %}
{% macro default__distinct_list(expression) -%}
    array_remove(array_agg(distinct {{ expression }} order by {{ expression }}), null)
{%- endmacro %}
{% macro duckdb__distinct_list(expression) -%}
    coalesce(list(distinct {{ expression }} order by {{ expression }}) filter (where {{ expression }} is not null), [])
{%- endmacro %}
{% macro spark__distinct_list(expression) -%} sort_array(collect_set({{ expression }})) {%- endmacro %}

{# The values of a group, which are distinct already, as a sorted list. #}
{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch('sorted_list', 'vawg')(expression)) }}
{%- endmacro %}
{% macro default__sorted_list(expression) -%} array_agg({{ expression }} order by {{ expression }}) {%- endmacro %}
{% macro duckdb__sorted_list(expression) -%} list_sort(list({{ expression }})) {%- endmacro %}
{% macro spark__sorted_list(expression) -%} sort_array(collect_list({{ expression }})) {%- endmacro %}

{# The values of a group as a list, in the order of a column that no two of them share. #}
{% macro list_in_order(expression, order_by) -%}
    {{ return(adapter.dispatch('list_in_order', 'vawg')(expression, order_by)) }}
{%- endmacro %}
{% macro default__list_in_order(expression, order_by) -%} array_agg({{ expression }} order by {{ order_by }}) {%- endmacro %}
{% macro spark__list_in_order(expression, order_by) -%}
    transform(sort_array(collect_list(struct({{ order_by }} as place, {{ expression }} as item))), x -> x.item)
{%- endmacro %}

{# The sum of the products of two lists of numbers, item by item, taken in their order. #}
{% macro dot_product(left, right) -%}
    {{ return(adapter.dispatch('dot_product', 'vawg')(left, right)) }}
{%- endmacro %}
{% macro default__dot_product(left, right) -%}
    (
        select sum(pairs.one * pairs.other order by pairs.place)
        from unnest({{ left }}, {{ right }}) with ordinality as pairs (one, other, place)
    )
{%- endmacro %}
{% macro duckdb__dot_product(left, right) -%} list_dot_product({{ left }}, {{ right }}) {%- endmacro %}
{% macro spark__dot_product(left, right) -%}
    aggregate(zip_with({{ left }}, {{ right }}, (x, y) -> x * y), cast(0 as double), (total, x) -> total + x)
{%- endmacro %}

{# An empty list of a type, for a group that has no rows. #}
{% macro empty_list(type) -%}
    {{ return(adapter.dispatch('empty_list', 'vawg')(type)) }}
{%- endmacro %}
{% macro default__empty_list(type) -%} cast(array[] as {{ type }}[]) {%- endmacro %}
{% macro duckdb__empty_list(type) -%} cast([] as {{ type }}[]) {%- endmacro %}
{% macro spark__empty_list(type) -%} cast(array() as array<{{ type }}>) {%- endmacro %}

{# The items of a list of text in one text; empty where there are none. #}
{% macro list_as_text(list) -%}
    {{ return(adapter.dispatch('list_as_text', 'vawg')(list)) }}
{%- endmacro %}
{% macro default__list_as_text(list) -%} array_to_string({{ list }}, ', ') {%- endmacro %}
{% macro spark__list_as_text(list) -%} array_join({{ list }}, ', ') {%- endmacro %}

{#
    Post-hook: write a relation as one Parquet file, in a total order, for a Python station to read.
    dbt-duckdb's `external` materialisation is not used: it writes a row of nulls where there are none.
#}
{% macro write_parquet(relation, path, order_by) -%}
    {{ return(adapter.dispatch('write_parquet', 'vawg')(relation, path, order_by)) }}
{%- endmacro %}
{% macro default__write_parquet(relation, path, order_by) -%}
    {{ exceptions.raise_compiler_error('write_parquet is not written for ' ~ target.type) }}
{%- endmacro %}
{% macro duckdb__write_parquet(relation, path, order_by) -%}
    copy (select * from {{ relation }} order by {{ order_by }}) to '{{ path }}' (format parquet, compression zstd)
{%- endmacro %}

{# A list of the one value, or an empty one where it is null. #}
{% macro list_of_one(expression) -%}
    {{ return(adapter.dispatch('list_of_one', 'vawg')(expression)) }}
{%- endmacro %}
{% macro default__list_of_one(expression) -%} array_remove(array[{{ expression }}], null) {%- endmacro %}
{% macro duckdb__list_of_one(expression) -%}
    case when {{ expression }} is null then [] else [{{ expression }}] end
{%- endmacro %}
{% macro spark__list_of_one(expression) -%} filter(array({{ expression }}), x -> x is not null) {%- endmacro %}

{# One row for each item of a list; in the columns of a select. #}
{% macro unnested(list) -%}
    {{ return(adapter.dispatch('unnested', 'vawg')(list)) }}
{%- endmacro %}
{% macro default__unnested(list) -%} unnest({{ list }}) {%- endmacro %}
{% macro spark__unnested(list) -%} explode({{ list }}) {%- endmacro %}

{# The number that hexadecimal digits write, fifteen of them at most. #}
{% macro hex_to_number(text) -%}
    {{ return(adapter.dispatch('hex_to_number', 'vawg')(text)) }}
{%- endmacro %}
{% macro default__hex_to_number(text) -%} ('x' || lpad({{ text }}, 16, '0'))::bit(64)::bigint {%- endmacro %}
{% macro duckdb__hex_to_number(text) -%} cast('0x' || {{ text }} as bigint) {%- endmacro %}
{% macro spark__hex_to_number(text) -%} cast(conv({{ text }}, 16, 10) as bigint) {%- endmacro %}

{# A day in words: 12 March 2026. #}
{% macro day_in_words(day) -%}
    {{ return(adapter.dispatch('day_in_words', 'vawg')(day)) }}
{%- endmacro %}
{% macro default__day_in_words(day) -%} to_char({{ day }}, 'FMDD FMMonth YYYY') {%- endmacro %}
{% macro duckdb__day_in_words(day) -%} strftime({{ day }}, '%-d %B %Y') {%- endmacro %}
{% macro spark__day_in_words(day) -%} date_format({{ day }}, 'd MMMM yyyy') {%- endmacro %}

{# A number as it is shown in a sentence, rounded half up to `digits` decimals. #}
{% macro as_shown(number, digits) -%}
    cast(cast({{ number }} as decimal(18, {{ digits }})) as {{ dbt.type_string() }})
{%- endmacro %}

{#
    A score as it is shown: one decimal. By way of a double, which is exact enough for a decimal and spares a division of
    more than 18 digits: DuckDB makes those bit by bit, a second and a half a million rows.
#}
{% macro score_as_shown(score) -%}
    cast(cast({{ score }} as double precision) as decimal(28, 1))
{%- endmacro %}
