"""What `make run` starts, as a program."""

import os
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from imagevault import supervisor


@pytest.fixture
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def site(house, address):
    """The site, as soon as it says where it is."""
    site = house.start("serve", IMAGEVAULT_BIND=address)
    house.wait_for(lambda: f"imagevault is at http://{address}/" in house.said())
    return site


def answer(address: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as page:
            return page.read().decode()
    except (OSError, urllib.error.URLError):
        return ""


def gunicorn(house) -> list[int]:
    return [
        pid
        for pid in house.inhabitants()
        if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_the_site_answers_and_leaves_nobody_behind(house, site, address):
    assert answer(address) == "ok\n"
    site.send_signal(signal.SIGINT)
    assert site.wait(timeout=15) == 0
    assert not house.inhabitants()
    assert "imagevault has stopped." in house.said()


def test_a_dead_web_server_is_started_again(house, site, address):
    for pid in gunicorn(house):
        os.kill(pid, signal.SIGKILL)
    house.wait_for(lambda: answer(address) == "ok\n")


def test_everything_ends_with_a_killed_site(house, site):
    site.kill()
    site.wait()
    house.wait_for(lambda: not house.inhabitants(), seconds=10)


def test_a_second_start_on_the_same_vault_is_refused(house, site):
    second = house.run("serve", IMAGEVAULT_BIND="127.0.0.1:1", check=False)
    assert second.returncode == 2
    assert "running already" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_address_is_refused(house, address):
    host, port = address.split(":")
    with socket.create_server((host, int(port))):
        refused = house.run("serve", IMAGEVAULT_BIND=address, check=False)
    assert refused.returncode == 2
    assert f"{address} cannot be used: Address already in use." in refused.stderr


def test_a_folder_that_is_no_vault_is_refused(house):
    (house.folder / "vault.json").unlink()
    refused = house.run("serve", check=False)
    assert refused.returncode == 2
    assert "is not a vault" in refused.stderr


def test_browser_that_vanished_is_noticed():
    listener = supervisor.listen("127.0.0.1:0")
    with listener, socket.create_connection(listener.getsockname()[:2]) as browser:
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            assert browser
