"""What imports plug in: orders and customers as kinds, a condition leaf, their names in records."""

from bot.core.feature import feature as made
from tags.imports import customers, jobs, leaves, orders, pages, telling

feature = made("tags.imports", orders, customers, leaves, telling, jobs, pages)
