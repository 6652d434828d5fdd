"""What rules may wait for of points (T3)."""

from typing import Annotated

from bot.core.i18n import say
from handlers.points.events import PointsEarned, PointsExpired, PointsSpent
from tags.conditions.numbers import Compare
from tags.conditions.triggers import Number, Trigger, trigger

Points = Annotated[Compare | None, Number("points", lambda lang: say(lang, "积分"))]


@trigger(PointsEarned, lambda lang: say(lang, "获得积分"))
class Earned(Trigger):
    """An order earned points."""

    points: Points = None


@trigger(PointsSpent, lambda lang: say(lang, "使用积分"))
class Spent(Trigger):
    """She spent points."""

    points: Points = None


@trigger(PointsExpired, lambda lang: say(lang, "积分过期"))
class Expired(Trigger):
    """Lots ended with points left."""

    points: Points = None
