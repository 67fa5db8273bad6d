"""An address that somebody else wrote down leads to the public internet, or nowhere."""

from __future__ import annotations

import socket

import pytest

from backend.common.outside import AddressRefused, HostUnknown, check_address, is_public, pinned

INSIDE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.9",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.88.99.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_this_machine_or_its_neighbours_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111"])
def test_an_address_out_there_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]:8000/",
        "http://[::ffff:10.0.0.1]/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://localhost:5432/",
        "http://LOCALHOST./",
        "http://redis.internal/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:secret@example.com/",
        "http:///path",
        "http://[::1",
        "http://example.com:99999/",
        "nothing",
    ],
)
def test_what_is_seen_to_be_wrong_is_refused_without_a_look_up(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url=url, allow_private=False)


def test_a_public_name_passes_and_only_the_schemes_that_are_asked_for() -> None:
    check_address(url="https://hooks.example.com/saleor?x=1", allow_private=False, schemes={"https"})
    with pytest.raises(AddressRefused, match="https://"):
        check_address(url="http://hooks.example.com/", allow_private=False, schemes={"https"})


def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(*_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("93.184.216.34", 0)), (0, 0, 0, "", ("10.0.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with pytest.raises(AddressRefused, match=r"hooks\.example\.com"):
        pinned(url="https://hooks.example.com/", allow_private=False)
    assert pinned(url="https://hooks.example.com/", allow_private=True).url.host == "93.184.216.34"


def test_what_was_checked_is_what_is_connected_to_under_the_hosts_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", ("93.184.216.34", 0))])
    target = pinned(url="https://蔬菜.example:8443/a?b=1", allow_private=False)
    assert str(target.url) == "https://93.184.216.34:8443/a?b=1"
    assert target.headers["Host"] == "xn--2p1av0a.example:8443"
    assert target.extensions["sni_hostname"] == "xn--2p1av0a.example"


def test_a_name_that_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(HostUnknown) as refused:
        pinned(url="https://gone.example/", allow_private=False)
    assert not refused.value.permanent
