"""Money in integer fen and points in integers (G1: 1 point is worth 1 fen); no float touches either."""

from collections.abc import Sequence


def yuan(fen: int) -> str:
    """Fen as people write it: `123450` → `¥1,234.50`, `-500` → `−¥5.00`."""
    sign = "−" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` fen in proportion to `weights` by the largest remainder; the parts sum to `total` exactly (P4).

    Equal remainders go to the earlier place. Raises ValueError where no weight is positive or one is negative.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"weights are {list(weights)}, expected none negative and one positive")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
