"""What keeps the shop from starting is said in a sentence that says what to do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.config.environment import REPOSITORY
from backend.config.preflight import CannotRun, check_port, only_one, prepare_var, read_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_that_is_taken_names_the_next_one(taken_port: int) -> None:
    with pytest.raises(CannotRun, match=rf"make run PORT={taken_port + 1}"):
        check_port("127.0.0.1", taken_port, "PORT")


def test_an_interface_that_this_machine_has_not_is_said(taken_port: int) -> None:
    with pytest.raises(CannotRun, match="Set HOST and PORT"):
        check_port("203.0.113.7", taken_port, "PORT")


@pytest.mark.parametrize("value", ["80a", "0", "65536", "-1", "８０"])
def test_a_port_that_is_none_is_named(value: str) -> None:
    with pytest.raises(CannotRun, match=f"PORT={value}"):
        read_port({"PORT": value}, "PORT", 8000)


def test_without_a_port_the_default_is_taken() -> None:
    assert read_port({}, "PORT", 8000) == 8000
    assert read_port({"PORT": " 9000 "}, "PORT", 8000) == 9000


def test_a_file_in_place_of_var_is_said(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(CannotRun, match="make reset"):
        prepare_var(tmp_path / "var")


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1024))
    with pytest.raises(CannotRun, match="The disk is full"):
        prepare_var(tmp_path / "var")


def test_a_second_copy_is_refused_and_the_first_one_is_named(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(CannotRun, match=f"process {os.getpid()}"), only_one(tmp_path):
        pytest.fail("two of them")
    with only_one(tmp_path):
        pass


def test_the_launcher_says_it_in_both_languages_and_fails(taken_port: int, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "backend.config.run"],
        cwd=REPOSITORY,
        env={**os.environ, "PORT": str(taken_port), "VAR_DIR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "已被别的程序占用" in ended.stderr
    assert "is taken by another program" in ended.stderr
    assert "Traceback" not in ended.stderr
