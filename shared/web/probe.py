"""`python -m shared.web.probe PORT…`: 0 if `/readyz` answers 200 at the first of these ports where somebody listens.

The health check of every image: a container runs one process, and each kind has a port of its own.
"""

import http.client
import sys


def main(ports: list[int]) -> int:
    """The exit code."""
    for port in ports:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return 0 if connection.getresponse().status == http.client.OK else 1
        except ConnectionRefusedError:
            continue
        except OSError:
            return 1
        finally:
            connection.close()
    return 1


if __name__ == "__main__":
    sys.exit(main([int(port) for port in sys.argv[1:]]))
