"""Who may see what: the one place. Pages, API, downloads and SQL read a release through the selects made here.

Roles are `codes/roles.csv`, the marts of figures that everybody sees `codes/open_statistics.csv`, what a force sees of a mart and which columns tell a rank or a victim `codes/mart_rules.csv`, what an act of
review takes `codes/act_roles.csv`. What no rule speaks of is closed: a mart about persons without a rule is seen by no force,
an act without one is taken by nobody. Whose age is not known may be a child, who has no score: to nobody is it shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from decisions.suspension import ALL_LISTS
from hub.connections import literal
from hub.parameters import rows

Rank = Literal["always", "after_view", "never"]
# The nominals of everybody an allegation stands against: says to whom a force contributes.
CROSSWALK = "suspect_nominals"
LISTS = "perpetrator_lists"
RANKED = "ranked_perpetrators"
# What `perpetrator_lists` calls the nation's.
NATIONAL = "national"
# What tells whose age is not known: a mart, and the rows of it that say so.
_AGE_UNKNOWN = {
    RANKED: "status_reason = 'age_unknown'",
    "perpetrator_profiles": "is_age_unknown",
}
# Folders of a release that speak of no person: true counts, and what may be published of them.
_OF_NOBODY = frozenset({"statistical", "publishable"})
STATISTICS, PUBLISHED = "national_statistics", "published_national_statistics"
# Of persons on a list, worked out of the release.
ALERTS = "month_alerts"


class Denied(Exception):
    """The user may not do or see this; the message says which permission is missing, and nothing of what is there."""


@dataclass(frozen=True)
class Role:
    """A row of `codes/roles.csv`. `may`: the permissions it has, by the names of the columns."""

    code: str
    label: str
    rank: Rank
    may: frozenset[str]

    @property
    def is_of_a_force(self) -> bool:
        return "of_a_force" in self.may


@dataclass(frozen=True)
class User:
    """Somebody who was authenticated. `force_code` is set for those of a force, and for nobody else."""

    user_id: str
    label: str
    role: Role
    force_code: str | None = None

    def may(self, permission: str) -> bool:
        return permission in self.role.may

    def require(self, permission: str) -> None:
        """Raises Denied."""
        if not self.may(permission):
            raise Denied(f"your role, {self.role.label.lower()}, does not include this ({permission})")

    def require_act(self, act: str) -> None:
        """Raises Denied where the role may not take an act of review, or there is no such act."""
        self.require(_act_permissions().get(act, "nobody"))

    def require_force(self, force_code: str) -> None:
        """Raises Denied where the returns of that force are not the user's to see."""
        self.require("returns")
        if self.role.is_of_a_force and force_code != self.force_code:
            raise Denied("these are another force's returns")

    def scope(self, suspended: Iterable[str] = ()) -> Scope:
        """What the user's reads are held to. Whoever may stop a list sees it while it is stopped."""
        stopped = () if self.may("suspend") else tuple(sorted(suspended))
        return Scope(
            force_code=self.force_code if self.role.is_of_a_force else None,
            identifiable=self.may("identifiable"),
            victims=self.may("victims"),
            rank=self.role.rank == "always" and ALL_LISTS not in stopped,
            suspended=stopped,
        )


@dataclass(frozen=True)
class Scope:
    """What a reader's selects are limited to. `force_code` None: the nation. `rank`: whether columns that tell a rank show.

    `suspended`: scopes of lists that are not shown.
    """

    force_code: str | None = None
    identifiable: bool = False
    victims: bool = False
    rank: bool = False
    suspended: tuple[str, ...] = ()

    def after_view(self) -> Scope:
        """The same with the rank, for one person whose evidence the reader has seen."""
        return replace(self, rank=ALL_LISTS not in self.suspended)


@dataclass(frozen=True)
class Select:
    """A mart as a scope sees it. `is_whole`: every row and column of the file, so that the file itself hides nothing.

    `is_blanked`: all of it but for the scores of persons whose age is not known, which is the same for every scope.
    """

    sql: str
    is_whole: bool
    columns: tuple[str, ...]
    is_blanked: bool = False


@cache
def roles() -> Mapping[str, Role]:
    found = {}
    for row in rows("roles"):
        may = frozenset(name for name, value in row.items() if value == "1")
        found[row["role"]] = Role(row["role"], row["label"], row["rank"], may)  # type: ignore[arg-type]
    return found


@cache
def _act_permissions() -> Mapping[str, str]:
    return {row["act"]: row["permission"] for row in rows("act_roles")}


@cache
def _open_to_all() -> frozenset[str]:
    return frozenset(row["mart"] for row in rows("open_statistics"))


@cache
def _rules() -> Mapping[str, Mapping[str, str]]:
    return {row["mart"]: row for row in rows("mart_rules")}


def sensitivity(held: Mapping[str, Any]) -> str:
    """Folder of a mart in its release, by the manifest's entry of it."""
    return str(held["file"]).partition("/")[0]


def tells_a_rank(mart: str) -> bool:
    """Whether a mart has columns that tell a place or a score."""
    return bool(_rules().get(mart, {}).get("rank_columns"))


def is_of_persons(held: Mapping[str, Any]) -> bool:
    """Whether a mart speaks of persons: to read it takes a purpose. A folder that is not known does."""
    return sensitivity(held) not in _OF_NOBODY


def selects(
    scope: Scope,
    marts: Mapping[str, Mapping[str, Any]],
    columns: Mapping[str, Iterable[str]],
    source: Callable[[str], str],
    contributed: str | None = None,
    ageless: str | None = None,
) -> dict[str, Select]:
    """Mart -> how the scope sees it, of those it sees at all.

    `marts`: the manifest's; `columns`: of each mart; `source`: mart -> the SQL that reads it. `contributed`: the SQL that reads the
    persons the scope's force contributes to, worked out of the crosswalk if left out; `ageless`: that of the persons whose age is
    not known, as `of_unknown_age` has it.
    """
    contributed = contributed or _contributed(scope, marts, source)
    ageless = ageless or f"({of_unknown_age(marts, columns, source)})"
    found = {}
    for mart, held in marts.items():
        if not _is_open(scope, mart, sensitivity(held)):
            continue
        if mart == STATISTICS and not scope.identifiable:
            sql = _as_published(scope, marts, columns, source)
            found[mart] = Select(sql, is_whole=False, columns=tuple(columns[mart]))
            continue
        hidden = _hidden(scope, mart)
        if "*" in hidden:
            continue
        condition = _condition(scope, mart, sensitivity(held), source, contributed)
        kept = [c for c in columns[mart] if c not in hidden]
        blanked, stopped = _blanked(mart, ageless), _stopped(scope, mart, marts, source)
        names = ", ".join(_shown(c, *(when[c] for when in (blanked, stopped) if c in when)) for c in kept)
        is_blanked, is_stopped = bool(blanked.keys() & set(kept)), bool(stopped.keys() & set(kept))
        where = f" WHERE {condition}" if condition else ""
        is_all = not condition and not hidden and not is_stopped
        sql = f"SELECT {names} FROM {source(mart)}{where}"
        found[mart] = Select(sql, is_all and not is_blanked, tuple(kept), is_all and is_blanked)
    return found


def _is_open(scope: Scope, mart: str, folder: str) -> bool:
    if folder == "publishable":
        return True
    if folder == "statistical":
        # True counts, of every force: for who may see persons. To others what is published stands in for the statistics.
        return scope.identifiable or mart == STATISTICS or mart in _open_to_all()
    # A folder that is not known is closed, as is a mart without a rule to a force.
    if not {"identifiable": scope.identifiable, "victims": scope.victims}.get(folder, False):
        return False
    return scope.force_code is None or _rules().get(mart, {}).get("force_rule") in ("own", "person")


def _hidden(scope: Scope, mart: str) -> set[str]:
    """Columns of a mart that the scope does not see; `*` stands for all. Who a victim is goes with the marts of victims."""
    rule = _rules().get(mart, {})
    closed = [(scope.rank, "rank_columns"), (scope.victims, "victim_columns")]
    return {name for is_open, kind in closed if not is_open for name in rule.get(kind, "").split()}


def contributions(force_code: str, source: Callable[[str], str]) -> str:
    """The SQL of the persons a force contributes to: one of their nominals is its own."""
    return f"SELECT person_id FROM {source(CROSSWALK)} WHERE force_code = {literal(force_code)}"


def of_unknown_age(
    marts: Iterable[str], columns: Mapping[str, Iterable[str]], source: Callable[[str], str]
) -> str:
    """The SQL of the persons whose age is not known, held for it or for something else."""
    told = [
        f"SELECT person_id FROM {source(mart)} WHERE {says}"
        for mart, says in _AGE_UNKNOWN.items()
        if mart in marts and set(says.split()) & set(columns[mart])
    ]
    return " UNION ".join(told) or "SELECT '' AS person_id WHERE false"


def _shown(column: str, *hidden_when: str) -> str:
    """A column as a select has it: null where any condition holds."""
    if not hidden_when:
        return f'"{column}"'
    return f'CASE WHEN {" OR ".join(hidden_when)} THEN NULL ELSE "{column}" END AS "{column}"'


def _stopped(scope: Scope, mart: str, marts: Iterable[str], source: Callable[[str], str]) -> dict[str, str]:
    """Column that tells a place on a list -> the condition under which that list is suspended.

    National places are nobody's to see while the national list is; those of a force or region, of whoever its list is about.
    """
    rule = _rules().get(mart, {})
    found: dict[str, str] = {}
    if NATIONAL in scope.suspended:
        found |= dict.fromkeys(rule.get("national_columns", "").split(), "true")
    if of_scopes := [literal(s) for s in scope.suspended if s not in (NATIONAL, ALL_LISTS)]:
        # Without the mart that says whose list somebody is on, all of them may be.
        says = f"SELECT person_id FROM {source(RANKED)} WHERE list_scope_code IN ({', '.join(of_scopes)})"
        is_on_one = f"coalesce(person_id IN ({says}), false)" if RANKED in marts else "true"
        found |= dict.fromkeys(rule.get("scope_columns", "").split(), is_on_one)
    return found


def _blanked(mart: str, ageless: str) -> dict[str, str]:
    """Column that tells a score -> the condition under which nobody is shown it: the person's age is not known."""
    rule = _rules().get(mart, {})
    is_ageless = " OR ".join(
        f"coalesce({person} IN (SELECT person_id FROM {ageless}), false)"
        for person in rule.get("scored_persons", "").split()
    )
    return dict.fromkeys(rule.get("score_columns", "").split(), is_ageless)


def _contributed(
    scope: Scope, marts: Mapping[str, Mapping[str, Any]], source: Callable[[str], str]
) -> str | None:
    # Without the crosswalk nobody can say to whom a force contributes.
    if scope.force_code is None or CROSSWALK not in marts:
        return None
    return f"({contributions(scope.force_code, source)})"


def _as_published(
    scope: Scope, marts: Iterable[str], columns: Mapping[str, Iterable[str]], source: Callable[[str], str]
) -> str:
    """The SQL of the statistics for who sees no persons: a force's own figures, and of all others what is published of them."""
    own = f"force_code = {literal(scope.force_code)}" if scope.force_code else "false"
    names = ", ".join(f'"{c}"' for c in columns[STATISTICS])
    sql = f"SELECT {names} FROM {source(STATISTICS)} WHERE {own}"
    if PUBLISHED not in marts:
        return sql
    published = ", ".join(f'"{c}"' for c in columns[PUBLISHED])
    return f"{sql} UNION ALL BY NAME SELECT {published} FROM {source(PUBLISHED)} WHERE NOT ({own})"


def _condition(
    scope: Scope, mart: str, folder: str, source: Callable[[str], str], contributed: str | None
) -> str:
    conditions = []
    if scope.force_code is not None and folder not in _OF_NOBODY:
        rule = _rules()[mart]
        own = f"{rule['force_column']} = {literal(scope.force_code)}"
        if rule["force_rule"] == "person":
            own = (
                f"{rule['force_column']} IN (SELECT person_id FROM {contributed})" if contributed else "false"
            )
        conditions.append(own)
    if scope.suspended and mart in (LISTS, ALERTS):
        stopped = ", ".join(literal(s) for s in scope.suspended)
        shown = "false" if ALL_LISTS in scope.suspended else f"list_scope_code NOT IN ({stopped})"
        on_shown = f"person_id IN (SELECT person_id FROM {source(LISTS)} WHERE {shown})"
        conditions.append(shown if mart == LISTS else on_shown)
    return " AND ".join(conditions)
