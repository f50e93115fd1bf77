"""Reading YAML: plain data only, and every refusal has a place."""

import pytest

from mpn_abm.errors import MissingFileError, ScenarioError
from mpn_abm.scenario.documents import MAX_BYTES, read_file, read_text


def refused(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_text(text, "f.yaml")
    return str(caught.value)


def test_yaml_is_1_2():
    text = "a: 1e-3\nb: yes\nc: 010\nd: 1:30\ne: 2001-01-01\nf: ~\ng: 0x1F\nh: true\n"
    assert read_text(text, "f").plain() == {
        "a": 0.001,
        "b": "yes",
        "c": 10,
        "d": "1:30",
        "e": "2001-01-01",
        "f": None,
        "g": 31,
        "h": True,
    }


def test_every_value_knows_the_place_of_its_key():
    tree = read_text("a:\n  b: {c: [1, 2]}\n", "f.yaml")
    assert str(tree.at(("a", "b", "c")).origin) == "f.yaml:2:7"
    assert str(tree.at(("a", "b", "c", 1)).origin) == "f.yaml:2:14"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: a: expected once, it stands in line 1 already"),
        ("a: 1\n3: x\n", "f.yaml:2:1: expected a name as the key"),
        ("? [1]\n: 2\n", "f.yaml:1:3: expected a name as the key"),
        ("a: .nan\n", "f.yaml:1:4: .nan: expected a finite number"),
        ("a: 1e999\n", "f.yaml:1:4: 1e999: expected a finite number"),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: expected plain data"),
        ("a: !!int 3\n", "f.yaml:1:4: expected plain data"),
        ("a: [\n", "f.yaml:2:1: expected valid YAML 1.2"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: expected valid YAML 1.2"),
        ("&a [*a]\n", "f.yaml:1:1: expected at most 32 levels"),
        ("[" * 100, "f.yaml:1:33: expected at most 32 levels"),
        ("- 1\n", "f.yaml: expected a mapping"),
        ("", "f.yaml: expected a mapping"),
        ("a: \x00\n", "f.yaml: expected valid YAML 1.2"),
    ],
)
def test_what_is_no_plain_data_is_refused_where_it_stands(text, message):
    assert refused(text).startswith(message)


def test_all_refusals_of_a_file_are_shown_at_once():
    assert len(refused("a: .inf\nb: 1\nb: 2\n5: 3\n").splitlines()) == 3


def test_an_alias_stands_for_its_anchor():
    assert read_text("a: &x [1, 2]\nb: *x\n", "f").plain() == {"a": [1, 2], "b": [1, 2]}


def test_aliases_cannot_blow_up_a_small_file():
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for above, name in zip("abcdefg", "bcdefgh", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{above}'] * 10)}]\n"
    assert "aliases counted in full" in refused(bomb)


def test_a_file_is_utf_8_of_limited_size(tmp_path):
    latin, large, missing = tmp_path / "latin.yaml", tmp_path / "large.yaml", tmp_path / "missing.yaml"
    latin.write_bytes("name: café\n".encode("latin-1"))
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ScenarioError, match="expected UTF-8 text, byte 9"):
        read_file(latin)
    with pytest.raises(ScenarioError, match="at most 1,000,000 bytes"):
        read_file(large)
    with pytest.raises(MissingFileError, match="No such file"):
        read_file(missing)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_file(file).plain() == {"a": 1}
