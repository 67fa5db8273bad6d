"""A cooperative's SFTP server, as a process of its own: `python sftp_server.py DIRECTORY`.

It writes one line of JSON when it listens: its port and its host key. 王会计's password is "xindu", and every public key
of DIRECTORY/authorized_keys opens the same directory, DIRECTORY/drop. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import asyncssh


class Server(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("wang", "xindu")


async def serve(directory: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    keys = directory / "authorized_keys"
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Server,
        server_host_keys=[key],
        authorized_client_keys=str(keys) if keys.exists() else None,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(directory / "drop").encode()),
    )
    said = {"port": listener.get_port(), "host_key": key.export_public_key().decode()}
    print(json.dumps(said), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
