"""Ports for real servers on this machine's loopback."""

import os
import secrets
import socket

FIRST_PORT = 20_000
LAST_PORT = 32_000
_STRIDE = 8
_given: set[int] = set()


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on, given once in this process, and hardly in another one that runs beside it.

    It lies below the ports that systems hand out to outgoing connections: a server that is restarted finds its port
    free again, and a client that tries to reach it meanwhile cannot be connected to itself.
    """
    first = FIRST_PORT + os.getpid() % _STRIDE
    while True:
        port = first + secrets.randbelow((LAST_PORT - FIRST_PORT) // _STRIDE) * _STRIDE
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
