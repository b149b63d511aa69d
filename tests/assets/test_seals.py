"""What is sealed comes out as it went in, is the same bytes whenever it is packed, and is never written over."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import pytest

from assets.linkage.model import MODEL
from assets.seals import seal_code, seal_model, unseal


@pytest.fixture
def code(tmp_path: Path) -> Path:
    root = tmp_path / "code"
    for name, text in {
        "assets/rule.py": "x = 1\n",
        "assets/__pycache__/rule.pyc": "compiled",
        "dbt_project/models/a.sql": "select 1\n",
        "dbt_project/target/manifest.json": "{}",
        "requirements.lock": "duckdb==1\n",
        "data/secret.csv": "personal",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_code_comes_out_as_it_went_in(code: Path, tmp_path: Path) -> None:
    seal = seal_code(tmp_path / "seals", "d1", code, ["assets"])
    out = unseal(seal, tmp_path / "out")
    found = {p.relative_to(out).as_posix(): p.read_text() for p in out.rglob("*") if p.is_file()}
    assert found == {
        "assets/rule.py": "x = 1\n",
        "dbt_project/models/a.sql": "select 1\n",
        "requirements.lock": "duckdb==1\n",
    }, "compiled files, what dbt made and the data stay out"


def test_the_same_code_is_the_same_bytes(code: Path, tmp_path: Path) -> None:
    one = seal_code(tmp_path / "one", "d1", code, ["assets"]).read_bytes()
    (code / "assets/rule.py").touch()
    assert seal_code(tmp_path / "two", "d1", code, ["assets"]).read_bytes() == one


def test_a_seal_is_never_written_over(code: Path, tmp_path: Path) -> None:
    seal = seal_code(tmp_path / "seals", "d1", code, ["assets"])
    before = seal.read_bytes()
    (code / "assets/rule.py").write_text("x = 2\n")
    assert seal_code(tmp_path / "seals", "d1", code, ["assets"]).read_bytes() == before


def test_a_damaged_seal_is_told(code: Path, tmp_path: Path) -> None:
    seal = seal_code(tmp_path / "seals", "d1", code, ["assets"])
    content = bytearray(seal.read_bytes())
    content[45] ^= 0xFF
    seal.write_bytes(bytes(content))
    with pytest.raises(BadZipFile):
        unseal(seal, tmp_path / "out")


def test_the_shipped_model_is_sealed_with_the_code(tmp_path: Path) -> None:
    assert seal_model(tmp_path / "seals", MODEL) is None


def test_another_model_is_sealed_with_its_frequencies(tmp_path: Path) -> None:
    other = tmp_path / "mine.json"
    other.write_bytes(MODEL.read_bytes())
    frequencies = MODEL.with_suffix(".frequencies.parquet")
    (tmp_path / "mine.frequencies.parquet").write_bytes(frequencies.read_bytes())
    seal = seal_model(tmp_path / "seals", other)
    assert seal is not None
    assert sorted(p.name for p in unseal(seal, tmp_path / "out").iterdir()) == [
        "mine.frequencies.parquet",
        "mine.json",
    ]
