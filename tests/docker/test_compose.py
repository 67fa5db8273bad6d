"""docker-compose.yml against the compose specification, and against what we promise of it. No Docker runs here."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from backend.config.environment import REPOSITORY, Environment
from backend.config.programs import from_environment

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [
    name for name, service in SERVICES.items() if "entrypoint" not in service and "xinyi" in service["image"]
]
ALWAYS = {name: service for name, service in SERVICES.items() if "profiles" not in service}


def test_it_follows_the_compose_specification() -> None:
    specification = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(specification.read_text()))


def test_the_whole_shop_is_there() -> None:
    workers = {"worker", "worker-feeds", "worker-apply"}
    assert ALWAYS.keys() == {"postgres", "redis", "prepare", "web", *workers, "beat", "nginx"}
    assert SERVICES.keys() - ALWAYS.keys() == {"mailpit", "feeds", "demo"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_gives_up_what_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        stages = (REPOSITORY / "docker" / "Dockerfile").read_text().split("\nFROM ")
        stage = next(
            text for text in stages if text.split("\n")[0].endswith(f"AS {service['build']['target']}")
        )
        assert "\nUSER " in stage
    else:
        assert service["user"] not in ("root", "0")


@pytest.mark.parametrize("name", sorted(ALWAYS.keys() - {"prepare"}))
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    assert ALWAYS[name]["healthcheck"]["test"][0] == "CMD"
    assert ALWAYS[name]["restart"] == "unless-stopped"


def test_only_the_proxy_and_the_mail_catcher_are_reached_and_only_from_this_machine_unless_told_otherwise() -> (
    None
):
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "nginx": ["${LISTEN:-127.0.0.1:8080}:8080"],
        "mailpit": ["127.0.0.1:8025:8025"],
    }


def test_every_secret_comes_from_a_file_and_none_has_a_default() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    assert all(secret["file"] == f"docker/secrets/{name}" for name, secret in COMPOSE["secrets"].items())
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            if name.endswith(("PASSWORD", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")):
                pytest.fail(f"{name} is given in the clear")
    assert "DEMO" not in text


@pytest.mark.parametrize("name", OURS)
def test_every_role_of_our_image_is_one(name: str) -> None:
    command = SERVICES[name].get("command")
    if SERVICES[name]["build"]["target"] == "shop":
        assert from_environment(command, {}) is not None


def test_every_queue_has_a_worker() -> None:
    served = [
        service["environment"]["QUEUES"]
        for service in ALWAYS.values()
        if service.get("command") == ["worker"]
    ]
    assert sorted(served) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)


def test_the_environment_of_web_can_be_read(tmp_path: Any) -> None:
    given = {name: str(value) for name, value in SERVICES["web"]["environment"].items()}
    secrets = {
        "secret_key": "k" * 50,
        "database_url": "postgresql://xinyi:p@postgres:5432/xinyi",
        "redis_url": "redis://:p@redis:6379/0",
        "email_password": "",
        "feed_credentials_key": "f" * 40,
        "metrics_token": "m" * 40,
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    defaults = {"PUBLIC_URL": "https://shop.example"}
    for name, value in given.items():
        if value.startswith("${"):
            default = value.removesuffix("}").partition(":-")[2] if ":-" in value else ""
            given[name] = defaults.get(name, default)
        given[name] = given[name].replace("/run/secrets", str(tmp_path))
    environment = Environment.read({**given, "VAR_DIR": str(tmp_path)})
    assert environment.database.host == "postgres"
    assert environment.redis.broker_url == "redis://:p@redis:6379/0"
    assert environment.secure
    assert not environment.demo
    assert environment.allowed_hosts == ("shop.example",)
