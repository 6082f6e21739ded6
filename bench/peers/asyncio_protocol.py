"""The peer on asyncio's transports and protocols: one object a connection, no tasks."""

import asyncio
from typing import cast

from bench.peers.work import BACKLOG, WELCOME, answer, listen, tell


class Visit(asyncio.Protocol):
    """One connection, from the welcome to the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(WELCOME)

    def data_received(self, data: bytes) -> None:
        self._transport.write(answer(data))
        self._transport.close()


async def main() -> None:
    listener = listen()
    server = await asyncio.get_running_loop().create_server(Visit, sock=listener, backlog=BACKLOG)
    tell(listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
