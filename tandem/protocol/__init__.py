"""The wire format that both sides use: messages, framing, addresses. Pure: no socket, clock or file."""
