"""What the WeCom room itself plugs in: pulling the 微信客服 accounts, forgetting what is long done."""

from bot.core.feature import feature as made
from bot.wecom import jobs, kf

feature = made("bot.wecom", kf, jobs)
