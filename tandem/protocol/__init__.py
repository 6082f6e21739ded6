"""The wire format that both sides use: messages, framing, addresses. No socket, clock or file: bytes in, values out."""
