"""The peer of asyncio_protocol.py on uvloop: the same code on an event loop in C. Needs bench/requirements.txt."""

import uvloop

from bench.peers.asyncio_protocol import main

if __name__ == "__main__":
    uvloop.run(main())
