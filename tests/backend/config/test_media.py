"""Uploads as the shop serves them where no proxy does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return tmp_path / "media"


@pytest.mark.django_db
def test_an_upload_runs_nothing_whatever_it_is(client: Client, media_root: Path) -> None:
    (media_root / "evil.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    answer = client.get("/media/evil.html")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.django_db
@pytest.mark.parametrize("beside", ["../secret.txt", "%2e%2e/secret.txt", "/etc/passwd"])
def test_only_what_lies_there_is_served(client: Client, media_root: Path, beside: str) -> None:
    (media_root.parent / "secret.txt").write_text("secret", encoding="utf-8")
    assert client.get(f"/media/{beside}").status_code in (400, 404)


def test_the_proxy_says_the_same() -> None:
    configuration = Path(__file__).parents[3].joinpath("docker/nginx/nginx.conf").read_text(encoding="utf-8")
    location = configuration.partition("location /media/ {")[2].partition("\n    }")[0]
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "\"default-src 'none'; sandbox\"",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items():
        assert f"add_header {name} {value} always;" in location
