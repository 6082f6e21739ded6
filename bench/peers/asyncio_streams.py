"""The peer on asyncio streams: the server that most would write."""

import asyncio

from bench.peers.work import BACKLOG, MAX_MESSAGE, WELCOME, answer, listen, tell


async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, from the welcome to the end."""
    try:
        writer.write(WELCOME)
        if data := await reader.read(MAX_MESSAGE):
            writer.write(answer(data))
            await writer.drain()
    except ConnectionError:
        pass  # the other side has gone
    finally:
        writer.close()


async def main() -> None:
    listener = listen()
    server = await asyncio.start_server(visit, sock=listener, backlog=BACKLOG)
    tell(listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
