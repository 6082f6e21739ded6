"""A law, and what becomes of whoever breaks it."""


class BrokenLaw(BaseException):
    """The program did what it must never do; the text says which law, and the facts.

    No Exception, because the program under test catches those: they are its own bugs.
    """


def require(holds: bool, law: str, *facts: object) -> None:
    """Raises BrokenLaw unless the law holds."""
    if not holds:
        raise BrokenLaw(f"{law}: {', '.join(map(repr, facts))}")
