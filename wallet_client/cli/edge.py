"""The one place where exceptions become a sentence, a hint and an exit code.

0 done; 1 failed, with the reason and what to do next; 2 wrong usage; 130 interrupted. Nothing goes
to standard output on a failure, and no traceback to a person: KURA_DEBUG=1 asks for it.
"""

import os
import sys
from collections.abc import Callable

import click

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_ROSTER_HINT = "Nothing was contacted. Get the roster again from its operators, and compare fingerprints."
_ALGORITHM_HINT = "Nothing was taken in. Get the file again from its issuer, and compare the issuer's key."


def exit_code_of(run: Callable[[], object]) -> int:
    """Run a command line and tell how it ended."""
    _never_fail_to_print()
    try:
        outcome = run()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except Exception as error:  # noqa: BLE001  # the edge of the program
        return _interrupted() if _comes_from_interrupt(error) else _report(error)
    return outcome if isinstance(outcome, int) else DONE


def _never_fail_to_print() -> None:
    """A terminal without our letters gets their escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _interrupted() -> int:
    click.echo("Error: interrupted; run kura resume, or say the same again", err=True)
    return INTERRUPTED


def _comes_from_interrupt(error: BaseException | None) -> bool:
    """Some compiled modules turn a Ctrl-C while they load into an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _report(error: Exception) -> int:
    if os.environ.get("KURA_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    sentence, hint = _told(error)
    click.echo(f"Error: {sentence}", err=True)
    if hint:
        click.echo(hint, err=True)
    return FAILED


def _told(error: Exception) -> tuple[str, str]:
    """The sentence, and what to do next."""
    from trust.errors import AlgorithmRefused, RosterRefused, TrustError
    from wallet_client.errors import WalletError
    from wallet_client.values.shown import shown

    hint = getattr(error, "hint", "")
    if isinstance(error, WalletError) or hint:
        return str(error), hint
    if isinstance(error, TrustError):
        hints = {RosterRefused: _ROSTER_HINT, AlgorithmRefused: _ALGORITHM_HINT}
        return str(error), hints.get(type(error), "")
    if isinstance(error, OSError):
        where = f"{shown(str(error.filename))}: " if error.filename else ""
        return f"{where}{(error.strerror or str(error)).lower()}", "Check the path and its permissions."
    name = type(error).__name__
    return (
        f"something failed that Kura did not expect ({name})",
        "This is a defect. Run `kura resume`, then the command again; KURA_DEBUG=1 shows where it failed.",
    )
