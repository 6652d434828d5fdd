"""What tagging announces."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class AboutTag(Event, name=""):
    """tag, group: names as they were then. source: who did it (`operator:3`, `member:lily`, `expiry`)."""

    tag_id: int
    tag: str
    group: str
    source: str


@dataclass(frozen=True, kw_only=True)
class TagAdded(AboutTag, name="tag.added"):
    """She has the tag now."""


@dataclass(frozen=True, kw_only=True)
class TagRemoved(AboutTag, name="tag.removed"):
    """She does not have the tag any more."""


@dataclass(frozen=True, kw_only=True)
class TagOverruled(AboutTag, name="tag.overruled"):
    """A member's change lost against a later one made here, and WeCom is told so (T2). change: added or removed."""

    change: str


@dataclass(frozen=True, kw_only=True)
class TagDeleted(AboutTag, name="tag.deleted"):
    """The tag is gone, in WeCom or here; of nobody in particular. Who had it loses it after this."""
