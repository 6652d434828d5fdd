"""What the WeCom room itself plugs in: pulling the 微信客服 accounts."""

from bot.core.feature import feature as made
from bot.wecom import kf

feature = made("bot.wecom", kf)
