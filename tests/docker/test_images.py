"""The images' build files: what they copy exists, and what they install is what the lock says."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backend.config import health
from backend.config.environment import REPOSITORY

DOCKER = REPOSITORY / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COPIES = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
SOURCES = [source for copy in COPIES for source in copy.split()]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_copied_is_there_and_not_ignored(source: str) -> None:
    assert (REPOSITORY / source).exists()
    allowed = re.findall(r"^!(.+)$", (REPOSITORY / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert Path(source).parts[0] in allowed


def test_secrets_never_enter_an_image() -> None:
    assert "docker/secrets" in (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert "/docker/secrets/" in (REPOSITORY / ".gitignore").read_text().splitlines()


def test_the_image_installs_what_runs_the_shop_and_not_what_tests_it() -> None:
    made = subprocess.run(
        [sys.executable, DOCKER / "runtime_requirements.py", REPOSITORY / "requirements.lock"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    installed = set(re.findall(r"^([a-z0-9._-]+)==", made, flags=re.MULTILINE))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = {re.match(r"[a-z0-9-]+", line)[0] for line in project["project"]["dependencies"]}  # type: ignore[index]  # each begins so
    development = {re.match(r"[a-z0-9-]+", line)[0] for line in project["dependency-groups"]["dev"]}  # type: ignore[index]  # each begins so
    assert wanted <= installed
    assert not development & installed
    # What those need in turn, and its hashes.
    assert {"kombu", "graphql-core", "pillow", "django-mptt"} <= installed
    assert made.count("--hash=sha256:") >= len(installed)


def test_the_image_is_built_with_the_uv_that_a_fresh_machine_gets() -> None:
    release = re.search(
        r"^UV_RELEASE=(\S+)$", (REPOSITORY / ".ci" / "environment").read_text(), flags=re.MULTILINE
    )
    assert release is not None
    assert f"uv=={release[1]}" in DOCKERFILE


def test_the_health_check_reads_what_healthz_writes() -> None:
    text = (DOCKER / "check.py").read_text()
    assert f'"{health.run_key("default")}" if queue == "default"' in text
    assert f'f"{health.run_key("{queue}")}", "published_at"' in text
    assert f'"{health.PUBLISHED_KEY}"' in text


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    script = tmp_path / "make-secrets"
    script.write_bytes((DOCKER / "make-secrets").read_bytes())

    def make() -> dict[str, str]:
        subprocess.run(["bash", script], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    made = make()
    assert made.keys() == {
        "secret_key",
        "feed_credentials_key",
        "metrics_token",
        "postgres_password",
        "redis_password",
        "database_url",
        "redis_url",
        "email_password",
    }
    assert len(made["secret_key"]) == 80
    assert made["postgres_password"] in made["database_url"]
    assert made["redis_password"] in made["redis_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert make() == made
