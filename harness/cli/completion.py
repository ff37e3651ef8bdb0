"""completion: the script by which a shell completes `sscard`."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete

from emulator.messages import deferred
from harness.cli.completing import Bash, Fish, Zsh
from harness.cli.table import COMPLETE

SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
EPILOG = deferred("""\b
bash: eval "$(sscard completion bash)" in ~/.bashrc
zsh:  eval "$(sscard completion zsh)" in ~/.zshrc, after compinit
fish: sscard completion fish > ~/.config/fish/completions/sscard.fish
""")


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete `sscard`: commands, options, names of cards, layouts, readers, vectors.

    Names are looked up as they are when Tab is pressed.
    """
    script = SHELLS[shell](ctx.find_root().command, {}, "sscard", COMPLETE)
    click.echo(script.source())


COMMANDS = (completion,)
