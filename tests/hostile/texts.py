"""Hostile texts: shipped files changed by bytes, by tokens and by their structure, and nasties written by hand."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

LIBRARY = Path(__file__).resolve().parents[2] / "scenarios"
HEAD = b"schema: mpn-abm/1\n"
SMALL = HEAD + b"time: {duration_days: 10}\nmarrow: {shape: [12, 12]}\nclones: {healthy: {genotype: wild_type}}\n"
TOKEN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|\s+|.", re.DOTALL)
SIGNS = [":", "-", "{", "}", "[", "]", ",", "&a ", "*a", "!!int ", "|", ">", "?", "#", "'", '"', "%", "@", "\t", "\n"]
VALUES = [
    None, True, "", "x", ".", "..", "a.b", "../../etc/passwd", "/dev/zero", "\x00", "\x1b[31m", "é" * 3, "\u202e",
    "1e3", 0, -1, 1, 10**6, 2**53, 2**63 - 1, -(2**63), 1e-300, 1e300, -1e300, 0.1, [], {}, [[]], {"": {}},
    [1, [2, {"a": None}]], {"a.b.c": 1}, {"..": 1}, ["x"] * 50, "x" * 3000, {"file": "x"}, {"above": 1}, [1e300] * 3,
    [0, 0, 0], "car_t", "CALR",
]  # fmt: skip


def hostile_texts(number: int, seed: int, files: list[Path]) -> Iterator[tuple[str, bytes]]:
    """That many changed texts, each with how it was made; the same for the same seed."""
    rng = np.random.default_rng(seed)
    texts = [file.read_text(encoding="utf-8") for file in files]
    ways = [_bytes_changed, _tokens_changed, _structure_changed]
    for k in range(number):
        which, way = int(rng.integers(len(files))), ways[k % len(ways)]
        other = texts[int(rng.integers(len(files)))]
        yield f"{k}-{way.__name__.strip('_')}-{files[which].stem}", way(rng, texts[which], other)


def _bytes_changed(rng, text: str, _other: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(len(data) + 1))
        match int(rng.integers(4)):
            case 0:
                data[at:at] = rng.bytes(int(rng.integers(1, 4)))
            case 1:
                del data[at : at + int(rng.integers(1, 30))]
            case 2 if at < len(data):
                data[at] ^= 1 << int(rng.integers(8))
            case _:
                data[at:at] = data[at : at + int(rng.integers(1, 200))]
    return bytes(data)


def _tokens_changed(rng, text: str, other: str) -> bytes:
    tokens, others = TOKEN.findall(text), TOKEN.findall(other)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(tokens)))
        match int(rng.integers(4)):
            case 0:
                tokens[at] = SIGNS[int(rng.integers(len(SIGNS)))]
            case 1:
                tokens[at] = others[int(rng.integers(len(others)))]
            case 2:
                there = int(rng.integers(len(tokens)))
                tokens[at], tokens[there] = tokens[there], tokens[at]
            case _:
                numbers = [k for k, token in enumerate(tokens) if token[0].isdigit()]
                tokens[numbers[int(rng.integers(len(numbers)))]] = str(VALUES[14 + int(rng.integers(11))])
    return "".join(tokens).encode()


def _structure_changed(rng, text: str, other: str) -> bytes:
    yaml = YAML(typ="safe", pure=True)
    tree, donor = yaml.load(text), yaml.load(other)
    for _ in range(int(rng.integers(1, 4))):
        places, there = list(_places(tree)), list(_places(donor))
        owner, key = places[int(rng.integers(len(places)))]
        giver, taken = there[int(rng.integers(len(there)))]
        match int(rng.integers(5)):
            case 0:
                owner[key] = VALUES[int(rng.integers(len(VALUES)))]
            case 1:
                owner[key] = giver[taken]
            case 2:
                owner[key] = {str(taken): owner[key], "x": [owner[key]]}
            case 3 if isinstance(owner, dict):
                owner[str(taken)] = owner.pop(key)
            case _:
                del owner[key]
        if not list(_places(tree)):
            break
    written = StringIO()
    # as JSON is: whatever is shared between two places is written twice, without anchors
    yaml.representer.ignore_aliases = lambda *_: True
    yaml.dump(tree, written)
    return written.getvalue().encode("utf-8", "surrogatepass")


def _places(tree) -> Iterator[tuple[dict | list, str | int]]:
    """Every value below the root, by what holds it and its key."""
    for key, child in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(child, dict | list):
            yield from _places(child)


def _said(line: str) -> bytes:
    return SMALL + line.encode() + b"\n"


def _with(old: str, new: str) -> bytes:
    changed = SMALL.replace(old.encode(), new.encode())
    assert changed != SMALL
    return changed


def _bomb(depth: int, width: int, kind: str) -> bytes:
    """Aliases of aliases: small to read, width**depth values if followed."""
    lines = ["a0: &a0 " + ("{x: 1}" if kind == "map" else "[1]")]
    for k in range(depth):
        items = [f"k{j}: *a{k}" if kind == "map" else f"*a{k}" for j in range(width)]
        lines.append(f"a{k + 1}: &a{k + 1} " + ("{%s}" if kind == "map" else "[%s]") % ", ".join(items))
    return HEAD + "\n".join(lines).encode()


NASTIES: dict[str, bytes] = {
    "nothing": b"",
    "a zero byte": b"\x00",
    "zero bytes": b"\x00" * 4096,
    "a mark and nothing": b"\xef\xbb\xbf",
    "UTF-16": SMALL.decode().encode("utf-16"),
    "UTF-32": SMALL.decode().encode("utf-32"),
    "UTF-7": b"+AHMAYwBoAGUAbQBh-: mpn-abm/1\n",
    "latin 1": SMALL + "question: caf\xe9\n".encode("latin-1"),
    "a lone surrogate": SMALL + b'question: "\\ud800"\n',
    "a surrogate pair": SMALL + b'question: "\\ud83d\\ude00"\n',
    "a surrogate as a key": SMALL + b'"\\ud800": 1\n',
    "a surrogate as a name": SMALL + b'name: "\\udc80"\n',
    "a surrogate to extend": SMALL + b'extends: "\\udc80.yaml"\n',
    "an overlong code": SMALL + b"question: \xc0\xaf\n",
    "an escape": SMALL + b"question: \x1b[2J\n",
    "an escaped escape": SMALL + b'question: "\\e[2J\\a\\b"\n"\\e[31mkey": 1\n',
    "writing from the right": SMALL + "nam\u202ee: x\n".encode(),
    "a letter that looks alike": SMALL + "n\u0430me: x\n".encode(),
    "a next line": SMALL + "question: a\u0085b\u2028c\nseed: -1\n".encode(),
    "carriage returns": SMALL.replace(b"\n", b"\r"),
    "tabs": SMALL + b"time:\n\tduration_days: 3\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "an archive": b"PK\x03\x04" + bytes(range(256)) * 9,
    "JSON": b'{"schema": "mpn-abm/1", "seed": }',
    "brackets": b"[" * 100_000,
    "braces": b"{a: " * 50_000,
    "blocks": b"".join(b" " * k + b"a:\n" for k in range(1000)),
    "lists in lists": HEAD + b"a:\n" + b"- " * 100_000,
    "question marks": b"? " * 50_000,
    "marks of lists in flow": HEAD + b"a: [" + b"[], " * 60_000 + b"]",
    "commas": HEAD + b"a: [" + b"," * 900_000,
    "many keys": HEAD + b"".join(b"k%d: 1\n" % k for k in range(70_000)),
    "many keys that are alike": HEAD + b"seed: 1\n" * 70_000,
    "many unknown keys": SMALL + b"".join(b"k%d: 1\n" % k for k in range(3000)),
    "many unknown parameters": SMALL + b"fibrosis:\n" + b"".join(b"  depositio%d: 1\n" % k for k in range(3000)),
    "many clones": SMALL.replace(
        b"clones: {", b"clones: {" + b"".join(b"c%d: {genotype: x}, " % k for k in range(3000))
    ),
    "many right clones": SMALL.replace(
        b"clones: {", b"clones: {" + b"".join(b"c%d: {genotype: wild_type, cells: 0}, " % k for k in range(3000))
    ),
    "many arms": SMALL + b"arms:\n" + b"".join(b"  a%d: {seed: %d}\n" % (k, k) for k in range(2000)),
    "many wrong arms": SMALL + b"arms:\n" + b"".join(b"  a%d: {time: %d}\n" % (k, k) for k in range(2000)),
    "many treatments": SMALL
    + b"treatments:\n"
    + b"".join(b"  t%d: {drug: ruxolitinib, dose_mg: 1}\n" % k for k in range(2000)),
    "many claims": SMALL + b"expect:\n" + b"".join(b"  c%d: {endpoint: vaf_jak9, high: 1}\n" % k for k in range(3000)),
    "many courses": SMALL
    + b"treatments: {ruxolitinib: {courses: {"
    + b", ".join(b"c%d: {start_day: 1, dose_mg: 1}" % k for k in range(1500))
    + b"}}}\n",
    "a chain of drugs": SMALL
    + b"drugs:\n  d0: {like: ruxolitinib}\n"
    + b"".join(b"  d%d: {like: d%d}\n" % (k + 1, k) for k in range(3000)),
    "a chain of drugs from its end": SMALL
    + b"drugs:\n"
    + b"".join(b"  d%d: {like: d%d}\n" % (k, k - 1) for k in range(3000, 0, -1))
    + b"  d0: {like: ruxolitinib}\n",
    "a chain of genotypes from its end": SMALL
    + b"genotypes:\n"
    + b"".join(b"  G%d: {like: G%d}\n" % (k, k - 1) for k in range(3000, 0, -1))
    + b"  G0: {like: wild_type}\n",
    "a circle of drugs": SMALL + b"drugs: {a: {like: b}, b: {like: c}, c: {like: a}}\n",
    "a drug like itself": SMALL + b"drugs: {a: {like: a}}\n",
    "treatments in a circle": SMALL + b"treatments: {a: {drug: car_t, dose_cells: 1, after: {start: b}}, "
    b"b: {drug: car_t, dose_cells: 1, after: {start: a}}}\n",
    "a long chain of treatments": SMALL
    + b"treatments:\n  t0: {drug: ruxolitinib, dose_mg: 1}\n"
    + b"".join(b"  t%d: {drug: ruxolitinib, dose_mg: 1, after: {start: t%d}}\n" % (k + 1, k) for k in range(1500)),
    "a chain of endpoints": SMALL
    + b"endpoints:\n  e0: {column: vaf_jak2}\n"
    + b"".join(b"  e%d: {all: [e%d, e%d]}\n" % (k + 1, k, k) for k in range(500)),
    "an endpoint of itself": SMALL
    + b"endpoints: {a: {all: [a]}, b: {among: {endpoint: b}}, c: {since: c, column: day}}\n",
    "conditions in conditions": SMALL + b"endpoints: {a: " + b"{all: [" * 14 + b"]}" * 14 + b"}\n",
    "a long dotted key": SMALL + b"a." * 5000 + b"b: 1\n",
    "a dotted key of known words": SMALL + b"arms." * 300 + b"b: 1\n",
    "arms in arms": SMALL + b"arms: " + b"{arms: " * 20 + b"{}" + b"}" * 20 + b"\n",
    "dots": SMALL + b"...: 1\n. : 2\n.a: 3\na.: 4\n",
    "a very long key": SMALL + b"k" * 900_000 + b": 1\n",
    "a long key": SMALL + b"k" * 1000 + b": 1\n",
    "a long value": _said("seed: " + "x" * 900_000),
    "a long name": _said("name: " + "n" * 100_000),
    "a bomb of lists": _bomb(9, 9, "list"),
    "a bomb of mappings": _bomb(9, 9, "map"),
    "a bomb of ninety levels": _bomb(90, 2, "list"),
    "a bomb of arms": SMALL + b"arms: &a {b: *a}\n",
    "an alias of nothing": SMALL + b"seed: *nothing\n",
    "a merge key": HEAD + b"x: &x {seed: 3}\ntime: {<<: *x, duration_days: 3}\n",
    "a merge of itself": HEAD + b"x: &x\n  <<: *x\n",
    "many anchors": HEAD + b"".join(b"k%d: &a%d 1\n" % (k, k) for k in range(30_000)),
    "a tag": _said("seed: !!python/object/apply:os.system [exit]"),
    "a local tag": _said("seed: !x 3"),
    "a tag of a key": SMALL + b"!!str seed: 3\n",
    "a directive": b"%TAG ! tag:x,2000:\n---\n" + SMALL,
    "another YAML": b"%YAML 1.1\n---\n" + SMALL + b"seed: 010\n",
    "YAML of the future": b"%YAML 9.9\n---\n" + SMALL,
    "YAML of no number": b"%YAML x.y\n---\n" + SMALL,
    "YAML of a great number": b"%YAML 1." + b"9" * 6000 + b"\n---\n" + SMALL,
    "two documents": SMALL + b"---\n" + SMALL,
    "an end": b"...\n" * 1000 + SMALL,
    "duplicate keys": SMALL + b"seed: 1\nseed: 2\n",
    "a duplicate in quotes": SMALL + b"seed: 1\n'seed': 2\n",
    "a duplicate with a dot": SMALL + b"time.duration_days: 3\n",
    "keys of no text": SMALL + b"1: 2\ntrue: 3\n~: 4\n1.5: 6\n[a]: 3\n{a: b}: 4\n.nan: 5\n",
    "an empty key": SMALL + b"'': 1\n",
    "nothing that is a number": _said("seed: .nan"),
    "no end": _said("marrow: {hsc_pool_cells: -.inf}"),
    "many digits": _said("seed: " + "9" * 100_000),
    "many digits as hex": _said("seed: 0x" + "f" * 100_000),
    "many digits as octal": _said("seed: 0o" + "7" * 100_000),
    "many digits as binary": _said("seed: 0b" + "1" * 100_000),
    "many digits of a fraction": _said("patient: {fitness: 0." + "3" * 300_000 + "}"),
    "a great exponent": _said("patient: {fitness: 1e" + "9" * 5000 + "}"),
    "a small exponent": _said("patient: {fitness: 1e-" + "9" * 5000 + "}"),
    "underscores": _said("seed: " + "_".join("1" * 3000)),
    "digits in sixties": _said("seed: " + "1:" * 3000 + "1"),
    "a seed beyond 53 bits": _said("seed: 9007199254740993"),
    "a great duration": _with("duration_days: 10", "duration_days: 1e308"),
    "a great duration of years": _with("duration_days: 10", "duration_years: 1e308"),
    "a small step": _with("duration_days: 10", "duration_days: 73050, step_days: 5e-324"),
    "a small step of a long run": _with("duration_days: 10", "duration_days: 73050, step_seconds: 1e-9"),
    "a row every instant": _with("duration_days: 10", "duration_days: 73050, record_every_days: 1e-300"),
    "a snapshot every instant": _with("duration_days: 10", "duration_days: 73050, snapshot_every_days: 1e-300"),
    "rows at many days": _with("duration_days: 10", f"duration_days: 10, record_at_days: [{', '.join('7' * 9000)}]"),
    "a great marrow": _with("[12, 12]", "[16384, 16384]"),
    "a greater marrow": _with("[12, 12]", "[9223372036854775807, 9223372036854775807]"),
    "a marrow of four dimensions": _with("[12, 12]", "[2, 2, 2, 2]"),
    "a marrow of many dimensions": _with("[12, 12]", str([2] * 9000)),
    "a marrow of halves": _with("[12, 12]", "[1.5, 2]"),
    "doses without end": _said("treatments: {ruxolitinib: {dose_mg: 1, start_day: 0, times_per_day: 1e300}}"),
    "infusions without end": _said("treatments: {car_t: {dose_cells: 1e8, day: 0, every_days: 1e-300}}"),
    "infusions by the billion": _said(
        "treatments: {car_t: {dose_cells: 1e8, day: 0, every_days: 1, doses: 1000000000}}"
    ),
    "a great infusion": _said("treatments: {car_t: {dose_cells: 1e300, day: 0}}"),
    "many replicates": _said("replicates: 9999999999"),
    "wrong types": HEAD
    + b"time: 3\nmarrow: []\nclones: x\npatient: 1\ntreatments: [1]\narms: 7\nexpect: []\nstop: ~\n",
    "every block a number": HEAD
    + b"time: {duration_days: {a: 1}}\nmarrow: {shape: {x: 1}}\nclones: {a: 1, b: [], c: ~}\n",
    "blocks of nulls": HEAD + b"time: ~\nmarrow: ~\nclones: ~\ntreatments: ~\ngenotypes: ~\ndrugs: ~\nflags: ~\n",
    "catalogues taken away": SMALL + b"genotypes: {wild_type: ~}\n",
    "everything of a catalogue taken away": SMALL + b"drugs: {car_t: ~}\ntreatments: {car_t: {dose_cells: 1}}\n",
    "wrong units": _with("duration_days", "duration_nM"),
    "two units": _with("duration_days: 10", "duration_days: 10, duration_years: 1"),
    "names of Python": SMALL
    + b"__class__: 1\n__dict__.x: 2\nclones.__init__: {genotype: wild_type}\nmodel_fields: 3\n",
    "a clone of no name": SMALL.replace(b"healthy", b"'../../x'"),
    "a clone of a number": SMALL.replace(b"healthy", b"'1'"),
    "a path as a name": _said("name: ../../../../tmp/x"),
    "dots as a name": _said("name: '..'"),
    "a name with a zero": SMALL + b'name: "a\\0b"\n',
    "a name of a device": _said("name: CON"),
    "a name with a tilde": _said("name: ~root"),
    "a name that asks a shell": _said("name: $(touch x); `touch x`"),
    "no name of an arm": SMALL + b"arms: {'../x': {}, '': {}, 'a/b': {}, 'A': {}, '1': {}}\n",
    "extends nothing": _said("extends: nothing.yaml"),
    "extends its folder": _said("extends: ."),
    "extends passwords": _said("extends: /etc/passwd"),
    "extends by many steps": _said("extends: " + "../" * 60 + "etc/passwd"),
    "extends zeros": _said("extends: /dev/zero"),
    "extends chance": _said("extends: /dev/urandom"),
    "extends what nobody writes": _said("extends: /dev/stdin"),
    "extends memory": _said("extends: /proc/self/mem"),
    "extends no path": SMALL + b'extends: "a\\0b"\n',
    "extends a long path": _said("extends: " + "a/" * 5000),
    "extends a long word": _said("extends: " + "a" * 5000),
    "extends itself": SMALL + b"extends: hostile.yaml\n",
    "extends itself many times": SMALL + b"extends: [" + b"hostile.yaml, " * 3000 + b"]\n",
    "extends a mapping": _said("extends: {a: 1}"),
    "extends a number": _said("extends: [1, ~, []]"),
    "goes without": _said("without: [a, time]"),
    "goes without itself": SMALL + b"extends: hostile.yaml\nwithout: ['', '.', '..', schema, clones.healthy.x.y]\n",
    "a study of nothing": HEAD + b"scenario: ~\nsweep: ~\n",
    "a study of zeros": HEAD + b"scenario: /dev/zero\nsweep: {parameters: {seed: [1]}}\n",
    "a study of itself": HEAD + b"scenario: hostile.yaml\nsweep: {parameters: {seed: [1]}}\n",
    "a study of a list": HEAD + b"scenario: []\ntrial: []\n",
    "a study of two kinds": HEAD + b"scenario: {}\nsweep: {}\ntrial: {}\n",
    "a sweep of many points": HEAD
    + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\nsweep: {method: grid, "
    b"parameters: {patient.fitness: {low: 0, high: 1, steps: 999999999}, seed: {low: 0, high: 9, steps: 99999999}}}\n",
    "a sweep of many samples": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"sweep: {method: sobol, samples: 99999999999, parameters: {patient.fitness: {low: 0, high: 1}}}\n",
    "a sweep of many levels": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"sweep: {method: grid, parameters: {patient.fitness: [" + b", ".join(b"0.%d" % k for k in range(9000)) + b"]}}\n",
    "a sweep of many paths": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"sweep: {method: lhs, samples: 2, parameters: {"
    + b", ".join(b"a.b%d: {low: 0, high: 1}" % k for k in range(3000))
    + b"}}\n",
    "a trial of many": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"trial: {patients: 9999999999, seed: 1, endpoints: [svr35], at_days: [3]}\n",
    "a trial with a file of zeros": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"trial: {patients_file: /dev/zero, seed: 1, endpoints: [svr35], at_days: [3]}\n",
    "a sweep of a file of zeros": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"sweep: {method: table, file: /dev/zero.csv}\n",
    "correlations of many": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"trial: {patients: 3, seed: 1, cohort: {}, correlations: [" + b"[a, b, 2], " * 5000 + b"]}\n",
    "a text of many ends": SMALL + b"question: |\n" + b"  x\n" * 200_000,
    "an open quote": SMALL + b'question: "' + b"x\n" * 100_000,
    "a comment without end": SMALL + b"#" * 900_000,
    "spaces": SMALL + b" " * 900_000,
    "empty lines": SMALL + b"\n" * 900_000,
    "too large": b"#" * 1_000_001,
    "a long path of a table": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b"sweep: {method: table, file: " + b"a" * 5000 + b".csv}\n",
    "a path of a table that is none": HEAD + b"scenario: {time.duration_days: 3, clones.a.genotype: wild_type}\n"
    b'sweep: {method: table, file: "a\\0.csv"}\n',
    "carets": SMALL + b"^" * 1000 + b": 1\n",
}
