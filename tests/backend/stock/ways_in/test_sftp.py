"""A drop on a real SFTP server, which is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in import files, sftp
from backend.stock.ways_in.source import Seen, Source

CSV = "编码,库存,单位\nXY-0007,20,斤\n".encode()
KEY = asyncssh.generate_private_key("ssh-ed25519")


@dataclass(frozen=True)
class Drop:
    directory: Path
    source: Source
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drop]:
    directory = tmp_path_factory.mktemp("sftp")
    (directory / "drop").mkdir()
    (directory / "authorized_keys").write_bytes(KEY.export_public_key())
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("sftp_server.py")), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    said = json.loads(process.stdout.readline())
    source = Source(
        url=f"sftp://127.0.0.1:{said['port']}/",
        credential="basic",
        username="wang",
        secret="xindu",
        host_key=f"[127.0.0.1]:{said['port']} {said['host_key']}",
        allow_private=True,
    )
    yield Drop(directory=directory / "drop", source=source, process=process)
    process.stdin.close()
    process.wait(30)


@pytest.fixture
def drop(server: Drop) -> Drop:
    """The same server, with nothing in it yet."""
    for path in sorted(server.directory.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    return server


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass without waiting for it."""
    passed = [0.0]
    real = sftp.time
    monkeypatch.setattr(
        sftp,
        "time",
        SimpleNamespace(time=lambda: 1_000_000.0 + passed[0], monotonic=real.monotonic),
    )

    def wait(seconds: float) -> None:
        passed[0] += seconds

    return wait


def look(
    source: Source, seen: Seen | None = None, *, refusal: str = ""
) -> tuple[list[tuple[str, bytes]], Seen]:
    with sftp.visit(replace(source, seen=seen or {})) as visit:
        found = []
        for document in visit.documents():
            found.append((document.name, document.body or b""))
            visit.settle(document, refusal=refusal)
        return found, visit.seen


def test_a_whole_file_is_taken_and_put_away(drop: Drop, clock: Callable[[float], None]) -> None:
    (drop.directory / "库存.csv").write_bytes(CSV)
    (drop.directory / "rest.csv.part").write_bytes(CSV)
    found, seen = look(drop.source)
    assert found == []
    clock(files.STABLE_SECONDS)
    found, seen = look(drop.source, seen)
    assert (found, seen) == ([("库存.csv", CSV)], {})
    (kept,) = (drop.directory / "done").iterdir()
    assert kept.name.endswith("-库存.csv") and kept.read_bytes() == CSV


def test_one_that_is_refused_lies_apart_with_the_reason_beside_it(
    drop: Drop, clock: Callable[[float], None]
) -> None:
    (drop.directory / "a.csv").write_bytes(b"\x89PNG")
    _found, seen = look(drop.source)
    clock(60)
    look(drop.source, seen, refusal="这是一张照片。")
    notes = list((drop.directory / "refused").glob("*.txt"))
    assert "这是一张照片。" in notes[0].read_text(encoding="utf-8-sig")
    assert len(list((drop.directory / "refused").iterdir())) == 2


def test_a_key_opens_as_a_password_does(drop: Drop, clock: Callable[[float], None]) -> None:
    (drop.directory / "a.csv").write_bytes(CSV)
    source = replace(drop.source, credential="ssh_key", secret=KEY.export_private_key().decode())
    _found, seen = look(source)
    clock(60)
    assert look(source, seen)[0] == [("a.csv", CSV)]


def test_a_server_with_another_key_is_told_nothing(drop: Drop) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(FeedForbidden):
        look(replace(drop.source, host_key=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "wrong"},
        {"username": "somebody"},
        {
            "credential": "ssh_key",
            "secret": asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(),
        },
        {"url": "sftp://127.0.0.1:9/"},
    ],
)
def test_who_is_not_let_in_comes_again_later(drop: Drop, changes: dict[str, str]) -> None:
    with pytest.raises(FeedUnavailable):
        look(replace(drop.source, **changes))  # type: ignore[arg-type]  # texts, all of them


@pytest.mark.parametrize(
    "changes",
    [
        {"host_key": "ssh-ed25519 nonsense"},
        {"host_key": ""},
        {"credential": "ssh_key", "secret": "no key"},
        {"url": "http://127.0.0.1/"},
        {"url": "sftp://wang:xindu@127.0.0.1/"},
        {"allow_private": False},
    ],
)
def test_what_asking_again_cannot_mend_is_forbidden(drop: Drop, changes: dict[str, object]) -> None:
    with pytest.raises(FeedForbidden):
        look(replace(drop.source, **changes))  # type: ignore[arg-type]  # as the field wants them


def test_a_directory_that_is_not_there_is_looked_for_again(drop: Drop) -> None:
    with pytest.raises(FeedUnavailable):
        look(replace(drop.source, url=f"{drop.source.url}nowhere"))


def test_neither_links_nor_directories_are_files(
    drop: Drop, clock: Callable[[float], None], tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (drop.directory / "link.csv").symlink_to(tmp_path / "secret.csv")
    (drop.directory / "directory.csv").mkdir()
    _found, seen = look(drop.source)
    clock(60)
    assert look(drop.source, seen)[0] == []


def test_one_that_is_too_large_is_put_away_unread(
    drop: Drop, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    (drop.directory / "a.csv").write_bytes(b"0" * 1001)
    _found, seen = look(drop.source)
    clock(60)
    with pytest.raises(FeedUnreadable):
        look(drop.source, seen)
    assert len(list((drop.directory / "refused").iterdir())) == 2


def test_a_server_that_says_nothing_is_not_waited_for(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(sftp, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(FeedUnavailable):
            look(replace(drop.source, url=f"sftp://127.0.0.1:{port}/"))


def test_a_source_does_not_show_its_key(drop: Drop) -> None:
    assert "xindu" not in repr(drop.source)
