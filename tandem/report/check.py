def main_text(data: bytes, format: str, colour: bool) -> tuple[str, bool]:
    return ("", True)
