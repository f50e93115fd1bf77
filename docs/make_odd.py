"""Write the tables of docs/background/odd.md from the program: state, schedule, parameters, genotypes and drugs.

    python docs/make_odd.py
    python docs/make_odd.py --check

The first renews the page, the second only says whether it is out of date and exits with 1 if it is. The state is read
from mpn_abm/state.py, the order of a step from mpn_abm/mechanisms/schedule.py, both as text.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from make_reference import BACKGROUND, BLOCKS, catalogue_table, code, kind_of, leaves, table

from mpn_abm.mechanisms.drugs import DRUGS
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES

ROOT = Path(__file__).resolve().parents[1]
PAGE = BACKGROUND / "odd.md"
STATE = ROOT / "mpn_abm" / "state.py"
SCHEDULE = ROOT / "mpn_abm" / "mechanisms" / "schedule.py"
TYPE = re.compile(r"u?(?:int|float)\d+\[.*?\]")
# what asks for room in a table, or notes that something happened, is no process
HOUSEKEEPING = {"has_table", "most_mutants", "note", "room_for_daughters", "room_for_row"}
KINDS = ("published", "fitted", "in part", "assumed", "resolution")


# ---- source


@dataclass(frozen=True)
class Source:
    """A module as it is written: its tree, and its comments by line."""

    tree: ast.Module
    comments: dict[int, str]
    lines: list[str]

    def above(self, line: int) -> str:
        """The comment that stands alone above a line."""
        found: list[str] = []
        while self.lines[line - 2].lstrip().startswith("#"):
            line -= 1
            found.insert(0, self.comments[line])
        return " ".join(found)


@cache
def source(path: Path) -> Source:
    """Read a module."""
    text = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    return Source(ast.parse(text), comments, text.splitlines())


def first_line(node: ast.ClassDef | ast.FunctionDef) -> str:
    """The first line of a docstring."""
    return (ast.get_docstring(node) or "").partition("\n")[0].replace("``", "`")


# ---- entities and state variables


def groups() -> dict[str, ast.ClassDef]:
    """The groups of arrays of a marrow by the name of their class, the marrow itself first."""
    classes = {node.name: node for node in source(STATE).tree.body if isinstance(node, ast.ClassDef)}
    marrow = classes["MarrowState"]
    return {"MarrowState": marrow} | {name: classes[name] for _, name in fields(marrow) if name in classes}


def fields(group: ast.ClassDef) -> list[tuple[ast.AnnAssign, str]]:
    """The fields of a group with what they are declared as."""
    return [(node, ast.unparse(node.annotation)) for node in group.body if isinstance(node, ast.AnnAssign)]


def state_rows(group: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each array of a group; not of what is worked out anew wherever it is needed."""
    of_all = TYPE.search(ast.get_docstring(group) or "")
    for node, kind in fields(group):
        said = source(STATE).comments.get(node.lineno, "")
        if kind != "np.ndarray" or "scratch" in said:
            continue
        own = TYPE.match(said)
        shape = own or of_all
        # what stands above in the module stands below on the page
        meaning = (said[own.end() :] if own else said).strip().removesuffix(", columns above")
        name = ast.unparse(node.target)
        if name in dict(entries()):
            meaning = f"{meaning}; entries below".removeprefix("; ")
        yield code(name), code(shape[0] if shape else ""), meaning


def entries() -> Iterator[tuple[str, str]]:
    """Arrays whose entries have names, with these names and what is said of each."""
    text = source(STATE)
    for node in text.tree.body:
        above = text.above(node.lineno)
        array = re.match(r"(?:entries|columns|rows|states) of (?:`(\w+)`|(a \w[\w ]+))", above)
        if array is None or not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
            continue
        names = [(ast.unparse(name), text.comments.get(name.lineno, "")) for name in node.targets[0].elts]
        # a last name in the plural is how many there are
        names = names[:-1] if names[-1][0].endswith("S") else names
        alone = len({name.lineno for name in node.targets[0].elts}) > 1
        told = (f"{name} ({said})" if said and alone else name for name, said in names)
        yield array[1] or f"the state of {array[2]}", "; ".join(told)


def state() -> str:
    """Every array of a marrow by group, then what its entries are."""
    parts = []
    for name, group in groups().items():
        about = ast.get_docstring(group) or ""
        field = next((ast.unparse(n.target) for n, kind in fields(groups()["MarrowState"]) if kind == name), "")
        title = f"`{field}`: " if field else ""
        parts.append(f"**{title}{' '.join(about.split())}**")
        rows = [] if "scratch" in about else list(state_rows(group))
        if rows:
            parts.append(table(("array", "type and shape", "meaning"), rows))
    named = ((code(name) if name.isidentifier() else name, of) for name, of in entries())
    parts.append("\n".join(f"- Entries of {name}: {of}" for name, of in named))
    return "\n\n".join(parts)


# ---- the order of a step


@dataclass(frozen=True)
class Station:
    """A process that a step calls: when, and why it stands where it does."""

    part: str
    name: str
    module: str
    when: tuple[str, ...]
    reason: str


def stations() -> list[Station]:
    """The processes of a step in the order in which the schedule calls them."""
    tree = source(SCHEDULE).tree
    modules = {
        name.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mpn_abm.mechanisms.")
        for name in node.names
    }
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    days = own["run_days"]
    # the loop over days calls the parts of a step; what follows a death is no step
    parts = [name for name in called(days) if name in own and name != "pass_dead_step"]
    found = []
    for part in parts:
        for name, when, reason in calls(own[part].body, (), ""):
            if name in modules and name not in HOUSEKEEPING:
                found.append(Station(part, name, str(modules[name]), when, reason))
    return found


def called(node: ast.AST) -> list[str]:
    """Functions called by their name, in the order of the text."""
    there = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    return [n.func.id for n in sorted(there, key=lambda n: (n.lineno, n.col_offset)) if isinstance(n.func, ast.Name)]


def calls(body: list[ast.stmt], when: tuple[str, ...], reason: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every call below some statements, with the conditions and the comment under which it stands."""
    for statement in body:
        why = source(SCHEDULE).above(statement.lineno) or reason
        if isinstance(statement, ast.If | ast.While):
            tested = statement.test
            before = list(tested.values[:-1]) if isinstance(tested, ast.BoolOp) else []
            inside = (*when, *map(ast.unparse, before))
            yield from ((name, inside, why) for name in called(tested))
            yield from calls(statement.body, (*when, ast.unparse(tested)), why)
            yield from calls(statement.orelse, (*when, f"not ({ast.unparse(tested)})"), why)
        else:
            yield from ((name, when, why) for name in called(statement))


@cache
def docstring_of(module: str, name: str) -> str:
    """What a function of the package says of itself in one line."""
    tree = source(ROOT.joinpath(*module.split(".")).with_suffix(".py")).tree
    return next(first_line(n) for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)


def when_of(station: Station) -> str:
    """The conditions of a station but for those on how far the step has come."""
    own = (test for test in station.when if not re.search(r"STAGE|room_for", test))
    return code(re.sub(r"rules\.|marrow\.|tally\[(\w+)\]", lambda m: m[1] or "", " and ".join(own)))


def schedule() -> str:
    """The processes of a step in order."""
    rows = []
    for number, station in enumerate(stations(), start=1):
        path = station.module.replace(".", "/")
        name = f"[{station.name}](../../{path}.py)"
        told = docstring_of(station.module, station.name)
        rows.append((number, name, page_of(station.module), told, when_of(station), station.reason))
    return table(("", "process", "sub-model", "what it does", "if", "why here"), rows)


def page_of(module: str) -> str:
    """A link to the page of the mechanism to whose folder a module belongs, if there is one."""
    folder = module.split(".")[2]
    pages = [path for name in (folder, f"{folder}s") if (path := BACKGROUND / f"{name}.md").exists()]
    return f"[{title(pages[0])}]({pages[0].name})" if pages else ""


# ---- sub-models


def parameters() -> str:
    """How many parameters each sub-model has, by how well they are known."""
    pages = {
        name: path
        for path in sorted(BACKGROUND.glob("*.md"))
        for name in re.findall(r"<!-- parameters: (\w+) -->", path.read_text())
    }
    counted: dict[str, Counter[str]] = {}
    for block in BLOCKS:
        kinds = [kind_of(d.source) for d in leaves(block) if d.source is not None]
        if kinds:
            page = pages.get(block.__name__)
            name = code(BLOCKS[block]) if page is None else f"[{title(page)}]({page.name})"
            counted.setdefault(name, Counter()).update(kinds)
    rows = [(name, kinds.total(), *(kinds[kind] or "" for kind in KINDS)) for name, kinds in counted.items()]
    total = sum(counted.values(), Counter())
    rows.append(("all", total.total(), *(total[kind] for kind in KINDS)))
    return table(("sub-model", "parameters", "published", "fitted", "assumed in part", "assumed", "resolution"), rows)


def title(page: Path) -> str:
    """The heading of a page."""
    return page.read_text().partition("\n")[0].removeprefix("# ")


def drugs() -> str:
    """The drugs of the catalogue."""
    rows = ((code(name), drug.kind.replace("_", " "), drug.source) for name, drug in DRUGS.items())
    return table(("drug", "kind", "source"), rows)


# ---- the page


def written(text: str) -> str:
    """The page with what stands between `<!-- odd: PART -->` and `<!-- end -->` made anew."""
    parts = {
        "state": state,
        "schedule": schedule,
        "parameters": parameters,
        "genotypes": lambda: catalogue_table(GENOTYPES),
        "flags": lambda: catalogue_table(FLAGS),
        "drugs": drugs,
    }
    return re.sub(
        r"<!-- odd: (\w+) -->\n.*?<!-- end -->",
        lambda m: f"<!-- odd: {m[1]} -->\n\n{parts[m[1]]()}\n\n<!-- end -->",
        text,
        flags=re.DOTALL,
    )


def main() -> int:
    """Write, or check."""
    there = PAGE.read_text()
    made = written(there)
    if made == there:
        return 0
    check = "--check" in sys.argv[1:]
    print(f"{PAGE.relative_to(ROOT)}: {'out of date' if check else 'written'}")
    if not check:
        PAGE.write_text(made)
    return int(check)


if __name__ == "__main__":
    sys.exit(main())
