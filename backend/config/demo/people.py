"""The cast, each with a password made at first start: 王会计, 陈会计, 李婶, 赵干事, and an administrator."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from saleor.account.models import Address, User

from backend.config.demo.files import read_json
from backend.cooperatives.models import Cooperative, Membership

# Without what is mistaken for something else: 0 and o, 1 and l and i.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class DemoAccount:
    """What the person who started the demo is told. page: where this person begins."""

    name: str
    role: str
    email: str
    password: str
    page: str


def load_people(*, cooperatives: dict[str, Cooperative], accounts_path: Path) -> tuple[DemoAccount, ...]:
    """Make who is missing, and write the accounts with their passwords to a file that only its owner reads.

    A person whose password that file does not know gets a new one; others keep theirs.
    """
    known = _read_accounts(accounts_path)
    accounts = []
    for facts in read_json("accounts"):
        user = User.objects.filter(email=facts["email"]).first()
        account = known.get(facts["email"])
        if user is None or account is None:
            password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
            account = DemoAccount(
                name=facts["last_name"] + facts["first_name"],
                role=facts["role"],
                email=facts["email"],
                password=password,
                page=facts["page"],
            )
            user = _load_person(facts=facts, user=user, password=password)
        _give_role(facts=facts, user=user, cooperatives=cooperatives)
        accounts.append(account)
    if {account.email: account for account in accounts} != known:
        _write_accounts(accounts_path, accounts)
    return tuple(accounts)


def _load_person(*, facts: dict[str, Any], user: User | None, password: str) -> User:
    if user is not None:
        user.set_password(password)
        user.save(update_fields=["password"])
        return user
    is_admin = facts["role"] == "admin"
    user = User.objects.create_user(
        facts["email"],
        password,
        first_name=facts["first_name"],
        last_name=facts["last_name"],
        is_staff=is_admin or facts["role"] == "town",
        is_superuser=is_admin,
    )
    if "address" in facts:
        address = Address.objects.create(**facts["address"])
        user.addresses.add(address)
        user.default_shipping_address = user.default_billing_address = address
        user.save(update_fields=["default_shipping_address", "default_billing_address"])
    return user


def _give_role(*, facts: dict[str, Any], user: User, cooperatives: dict[str, Cooperative]) -> None:
    if "cooperative" in facts:
        Membership.objects.get_or_create(
            cooperative=cooperatives[facts["cooperative"]],
            user=user,
            defaults={"role": facts.get("membership", Membership.Role.BOOKKEEPER)},
        )
    if "group" in facts:
        group, is_new = Group.objects.get_or_create(name=facts["group"])
        if is_new:
            group.permissions.set(_permission(name) for name in facts["permissions"])
            user.groups.add(group)


def _permission(name: str) -> Permission:
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


def _read_accounts(path: Path) -> dict[str, DemoAccount]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {entry["email"]: DemoAccount(**entry) for entry in entries}


def _write_accounts(path: Path, accounts: list[DemoAccount]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    # Never readable by others, not even for a moment.
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump([asdict(account) for account in accounts], file, ensure_ascii=False, indent=2)
    aside.replace(path)
