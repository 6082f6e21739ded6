"""The seven arrows of the exchange, numbered as the README draws them (PROTOCOL 1.1)."""

CLIENT_1 = "client 1"
CLIENT_2 = "client 2"
SERVER = "server"

ARROWS = {
    1: (SERVER, CLIENT_1, "welcome"),
    2: (CLIENT_1, SERVER, "message 1"),
    3: (SERVER, CLIENT_1, "reply to message 1"),
    4: (CLIENT_1, CLIENT_2, "handover"),
    5: (SERVER, CLIENT_2, "welcome"),
    6: (CLIENT_2, SERVER, "message 2"),
    7: (SERVER, CLIENT_2, "reply to message 2"),
}


def arrow_words(number: int) -> str:
    """Return an arrow in words, for example "arrow 2 (client 1 -> server, message 1)"."""
    sender, receiver, what = ARROWS[number]
    return f"arrow {number} ({sender} -> {receiver}, {what})"
