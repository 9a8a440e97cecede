"""What is generated matches what it is generated from."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kaaj_protocol import guide, names, schema

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client-vscode"


def test_schemas_in_the_repository_are_what_the_models_give() -> None:
    assert schema.drift(ROOT / "protocol" / "schema") == []


def test_drift_names_what_was_changed_what_is_missing_and_what_is_too_much(tmp_path: Path) -> None:
    assert schema.main([str(tmp_path)]) == 0
    assert schema.main(["--check", str(tmp_path)]) == 0

    (tmp_path / "commands.json").unlink()
    (tmp_path / "events.json").write_text("{}", encoding="utf-8")
    (tmp_path / "more.json").write_text("{}", encoding="utf-8")

    assert schema.drift(tmp_path) == ["commands.json", "events.json", "more.json"]
    assert schema.main(["--check", str(tmp_path)]) == 1


def test_every_command_and_event_is_in_its_schema() -> None:
    texts = schema.schemas()
    commands = json.loads(texts["commands.json"])
    events = json.loads(texts["events.json"])

    assert tuple(commands["properties"]) == names.COMMANDS
    assert set(events["discriminator"]["mapping"]) == set(names.EVENT_TYPES)


def test_what_the_server_always_sends_is_required_and_never_null() -> None:
    events = json.loads(schema.schemas()["events.json"])

    text = events["$defs"]["Text"]
    assert text["properties"].keys() - text["required"] == {"reset"}
    assert set(text["required"]) == {"session", "seq", "time", "type", "task", "text"}
    assert "null" not in json.dumps(events)


def test_typescript_types_are_generated_from_these_schemas() -> None:
    npm = shutil.which("npm")
    if npm is None or not (CLIENT / "node_modules").is_dir():
        pytest.skip("the client's packages are not installed; `make check` installs them where node is there")
    done = subprocess.run(
        [npm, "run", "--silent", "gen:check"], cwd=CLIENT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_has_every_setting_as_the_models_have_it() -> None:
    text = (ROOT / "docs" / "user-guide.md").read_text(encoding="utf-8")
    assert guide.renewed(text) == text
    assert guide.renewed(text.replace("`maxSteps`", "`maxStep`")) == text
    with pytest.raises(ValueError, match="comments"):
        guide.renewed("no table here")
