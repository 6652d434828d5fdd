"""Whom a code leads to, and how a friend who came through it is called. Pure."""

from collections.abc import Mapping, Sequence

REMARK_CHARACTERS = 20  # WeCom's limit of a remark (wecom.md §3.4)


def on_duty(staff: Sequence[str], added_today: Mapping[str, int], daily_cap: int | None) -> list[str]:
    """The members a code leads to: all, without those who have reached the cap (F1).

    Where all have reached it, all stay: WeCom takes no code without members, and a customer before a closed door is
    worse than one too many.
    """
    free = [userid for userid in staff if daily_cap is None or added_today.get(userid, 0) < daily_cap]
    return free or list(staff)


def remark(name: str, channel: str) -> str:
    """Her name with the channel's, `Anna-门店A`, in WeCom's 20 characters; the channel is cut last."""
    tail = f"-{channel}"[:REMARK_CHARACTERS]
    return name[: REMARK_CHARACTERS - len(tail)] + tail if name else channel[:REMARK_CHARACTERS]
