"""`fugou`: one program, its commands as contract.md names them.

Exit status 0 done, 1 failed, 2 wrong usage. An expected refusal is one plain sentence on stderr; `--debug` adds the
traceback.
"""

import importlib
import keyword
import signal
import sys

import click

from bot.core import log
from bot.core.errors import Refusal

COMMANDS = {
    "demo": "demo", "up": "run", "web": "run", "worker": "run", "scheduler": "run", "simulator": "simulator",
    "init": "setup", "operator": "setup", "apikey": "setup", "db": "setup",
    "doctor": "doctor", "sync": "sync", "import": "imports", "verify": "verify", "backup": "backup",
    "restore": "backup", "bench": "bench",
}  # fmt: skip


class Program(click.Group):
    """Loads a command's module when it is asked for, so that `fugou db current` does not wait for the rest."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"bot.app.commands.{COMMANDS[name]}")
        command: click.Command = getattr(module, f"{name}_" if keyword.iskeyword(name) else name)
        return command


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
@click.version_option(package_name="fugou")
def program(debug: bool) -> None:
    """Fugou (复购): turns a first purchase into a second, a tenth and a recommendation."""
    log.configure_command()  # what runs for long configures its own


def main() -> None:
    """Run the command line and leave with its status; when told to stop, in order, so that servers are stopped too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        status = program.main(standalone_mode=False)
    except click.exceptions.Abort:  # Ctrl-C, or nobody there to answer what was asked
        click.echo("\nfugou: stopped before it was done", err=True)
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except Refusal as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"fugou: {error}", err=True)
        status = 1
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        said = str(error).partition("\n")[0]
        click.echo(f"fugou: {type(error).__name__}: {said} (--debug shows where)", err=True)
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
