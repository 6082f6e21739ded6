"""placeholder"""


class DemoTrouble(Exception):
    """x"""


def demo() -> None:
    raise DemoTrouble("not there yet")
