"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """A number of things: 1 run, 2 runs, 1,000 runs."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"
