"""A folder that anybody may have put anything into."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in import files, folder
from backend.stock.ways_in.source import MOST_FILES, Seen, Source

CSV = "编码,库存,单位\nXY-0007,20,斤\n".encode()


@pytest.fixture
def shed(tmp_path: Path) -> Path:
    """What 王会计's computer fills."""
    (tmp_path / "baima").mkdir()
    return tmp_path / "baima"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass without waiting for it."""
    passed = [0.0]
    monkeypatch.setattr(folder, "time", SimpleNamespace(time=lambda: 1_000_000.0 + passed[0]))

    def wait(seconds: float) -> None:
        passed[0] += seconds

    return wait


def look(shed: Path, seen: Seen | None = None, *, refusal: str = "") -> tuple[list[tuple[str, bytes]], Seen]:
    with folder.visit(Source(url=shed.name, root=shed.parent, seen=seen or {})) as visit:
        found = []
        for document in visit.documents():
            found.append((document.name, document.body or b""))
            visit.settle(document, refusal=refusal)
        return found, visit.seen


def test_a_file_is_taken_once_it_is_whole_and_put_away(shed: Path, clock: Callable[[float], None]) -> None:
    (shed / "库存.csv").write_bytes(CSV)
    found, seen = look(shed)
    assert found == []
    clock(files.STABLE_SECONDS)
    found, seen = look(shed, seen)
    assert found == [("库存.csv", CSV)]
    assert seen == {}
    (kept,) = (shed / "done").iterdir()
    assert kept.name.endswith("-库存.csv") and kept.read_bytes() == CSV
    assert not (shed / "库存.csv").exists()


def test_a_file_that_still_grows_is_waited_for(shed: Path, clock: Callable[[float], None]) -> None:
    path = shed / "stock.csv"
    path.write_bytes(CSV[:10])
    _found, seen = look(shed)
    for end in (20, 30):
        clock(files.STABLE_SECONDS + 1)
        path.write_bytes(CSV[:end])
        os.utime(path, ns=(0, end * 10**9))
        found, seen = look(shed, seen)
        assert found == []
    clock(files.STABLE_SECONDS - 1)
    assert look(shed, seen)[0] == []
    clock(1)
    assert look(shed, seen)[0] == [("stock.csv", CSV[:30])]


def test_files_are_taken_in_the_order_in_which_they_were_written(
    shed: Path, clock: Callable[[float], None]
) -> None:
    for number, name in enumerate(["b.csv", "a.csv", "c.csv"]):
        (shed / name).write_bytes(CSV)
        os.utime(shed / name, (number, number))
    _found, seen = look(shed)
    clock(60)
    assert [name for name, _body in look(shed, seen)[0]] == ["b.csv", "a.csv", "c.csv"]


def test_two_files_of_one_name_are_both_kept(shed: Path, clock: Callable[[float], None]) -> None:
    for number in range(2):
        (shed / "stock.csv").write_bytes(CSV + bytes([number + 48]))
        _found, seen = look(shed)
        clock(60)
        look(shed, seen)
    assert sorted(path.read_bytes()[-1:] for path in (shed / "done").iterdir()) == [b"0", b"1"]


def test_one_that_cannot_be_read_lies_apart_with_the_reason_beside_it(
    shed: Path, clock: Callable[[float], None]
) -> None:
    (shed / "照片.csv").write_bytes(b"\x89PNG")
    _found, seen = look(shed)
    clock(60)
    look(shed, seen, refusal="这是一张照片。")
    kept, note = sorted((shed / "refused").iterdir(), key=lambda path: len(path.name))
    assert kept.read_bytes() == b"\x89PNG"
    assert note.name == f"{kept.name}.txt"
    assert "这是一张照片。" in note.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    "name",
    [".hidden.csv", "~$库存.xlsx", "a.csv.part", "a.filepart", "x.tmp", "a.crdownload", "b.csv~", ".~lock"],
)
def test_what_is_half_written_by_its_name_is_not_taken(
    shed: Path, clock: Callable[[float], None], name: str
) -> None:
    (shed / name).write_bytes(CSV)
    _found, seen = look(shed)
    clock(60)
    assert look(shed, seen)[0] == []
    assert (shed / name).exists()


def test_no_link_pipe_or_second_name_is_followed(
    shed: Path, tmp_path: Path, clock: Callable[[float], None]
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"secret")
    (shed / "link.csv").symlink_to(secret)
    (shed / "dangling.csv").symlink_to(tmp_path / "nothing")
    (shed / "hard.csv").hardlink_to(secret)
    os.mkfifo(shed / "pipe.csv")
    (shed / "directory.csv").mkdir()
    _found, seen = look(shed)
    clock(60)
    assert look(shed, seen)[0] == []
    assert secret.read_bytes() == b"secret"


def test_a_file_that_becomes_a_link_between_two_looks_is_not_read(
    shed: Path, tmp_path: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.csv").write_bytes(CSV)
    (shed / "stock.csv").write_bytes(CSV)
    _found, seen = look(shed)
    clock(60)
    real = folder.look

    def swapped(**given: object) -> object:
        answer = real(**given)  # type: ignore[arg-type]  # as they came
        (shed / "stock.csv").unlink()
        (shed / "stock.csv").symlink_to(tmp_path / "secret.csv")
        return answer

    monkeypatch.setattr(folder, "look", swapped)
    assert look(shed, seen)[0] == []


@pytest.mark.parametrize("target", ["done", "refused"])
def test_nothing_is_put_away_through_a_link(
    shed: Path, tmp_path: Path, clock: Callable[[float], None], target: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (shed / target).symlink_to(tmp_path / "elsewhere")
    (shed / "stock.csv").write_bytes(CSV)
    _found, seen = look(shed)
    clock(60)
    with pytest.raises(FeedForbidden):
        look(shed, seen, refusal="no" if target == "refused" else "")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/b", "../baima", "a b", "-x", "a\0b", "x" * 101])
def test_a_folder_is_below_the_one_that_is_watched_or_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(FeedForbidden), folder.visit(Source(url=name, root=tmp_path)):
        pass


def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "baima").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FeedForbidden), folder.visit(Source(url="baima", root=tmp_path / "feeds")):
        pass


def test_a_folder_that_is_not_there_is_looked_for_again(tmp_path: Path) -> None:
    with pytest.raises(FeedUnavailable), folder.visit(Source(url="baima", root=tmp_path)):
        pass


def test_without_a_root_no_folder_is_watched() -> None:
    with pytest.raises(FeedForbidden), folder.visit(Source(url="baima")):
        pass


def test_one_that_is_too_large_is_put_away_unread(
    shed: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST_BYTES", 1000)
    (shed / "stock.csv").write_bytes(b"0" * 1001)
    _found, seen = look(shed)
    clock(60)
    with pytest.raises(FeedUnreadable):
        look(shed, seen)
    assert len(list((shed / "refused").iterdir())) == 2


def test_an_empty_file_is_waited_for_and_then_its_sender_is_told(
    shed: Path, clock: Callable[[float], None]
) -> None:
    (shed / "stock.csv").touch()
    _found, seen = look(shed)
    clock(60)
    found, seen = look(shed, seen)
    assert found == []
    clock(files.EMPTY_SECONDS)
    assert look(shed, seen)[0] == [("stock.csv", b"")]


def test_an_archive_is_not_a_drop_and_a_heap_is_taken_in_parts(
    shed: Path, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST_FILES + 5):
        (shed / f"{number:03}.csv").write_bytes(CSV)
    _found, seen = look(shed)
    clock(60)
    found, seen = look(shed, seen)
    assert len(found) == MOST_FILES
    assert len(look(shed, seen)[0]) == 5
    monkeypatch.setattr(folder, "MOST_ENTRIES", 0)
    with pytest.raises(FeedUnavailable):
        look(shed)
