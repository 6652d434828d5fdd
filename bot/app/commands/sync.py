"""`sync`: everything WeCom has, taken in."""

import click
from rich.progress import Progress, TaskID

from bot.app.house import opened
from bot.core import settings as fugou_settings
from bot.core.settings import WECOM_NEEDED
from bot.wecom import pulls
from bot.wecom.client import wecom_of


@click.command()
def sync() -> None:
    """Pull members, corp tags, contacts and group chats from WeCom; broken off, it goes on where it was."""
    settings = fugou_settings.load()
    settings.require("secret_key", *WECOM_NEEDED)
    with opened(settings) as installation, Progress() as bar:
        wecom = wecom_of(installation)
        for pull in pulls.in_order():
            task = bar.add_task(pull.name, total=None)

            def report(done: int, total: int | None, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total)

            count = pull.run(installation, wecom, report)
            bar.update(task, completed=count or 1, total=count or 1)
            bar.console.print(f"{pull.name}: {count}")
