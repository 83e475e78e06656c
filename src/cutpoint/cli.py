"""The command `cutpoint`: exit codes and errors. Little is imported here, so that Ctrl-C is heard from the start.

Exit codes: 0 done, 1 failed, 2 your input (one sentence on stderr), 130 interrupted, 141 nobody reads on, 143
terminated.
"""

from __future__ import annotations

import errno
import os
import select
import sys

from cutpoint.cli_stopping import Terminated, hear_all
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.words import shown

# What the system says of a path that somebody gave, rather than of a disk.
_NO_PLACE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT, errno.ELOOP)
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)
_UNHEARD = 141  # as of a process that SIGPIPE ended


def main() -> None:
    """Run the command and exit."""
    hear_all()
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """The exit code of a command line; what went wrong is one sentence on stderr, never a traceback."""
    try:
        from cutpoint.cli_app import invoke

        invoke(list(arguments))
        return 0
    except CutpointError as error:
        return _fail(str(error), 2 if isinstance(error, UsageError | DataError) else 1, arguments)
    except KeyboardInterrupt as stop:
        return _stopped(stop)
    except OSError as error:  # no space, no permission, a folder where a file should be
        if isinstance(error, BrokenPipeError) and _unheard():
            return _UNHEARD
        theirs = error.errno in _NO_PLACE + _NO_RIGHT
        right = "yourself the right to it, or " if error.errno in _NO_RIGHT else ""
        remedy = f"give {right}another place; " if theirs else ""
        said = f"{error.filename or 'the system'}: {error.strerror or error}"
        return _fail(f"{said}; {remedy}what was stored before is kept.", 2 if theirs else 1, arguments)
    except Exception as error:
        return _other(error, arguments)


def _unheard() -> bool:
    """Whether nobody reads what is printed any more, as `head` that has enough; what is left of it is let go then."""
    printed = sys.stdout.fileno()
    look = select.poll()
    look.register(printed, 0)
    if not any(seen & (select.POLLERR | select.POLLHUP) for _, seen in look.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), printed)  # Python flushes once more at its end
    return True


def _other(error: Exception, arguments: list[str]) -> int:
    """The exit code for what a command raised by itself, or its parser; raises what nobody foresaw."""
    code = getattr(error, "exit_code", None)
    said = getattr(error, "format_message", None)
    if said is None:
        if code is not None:  # the command ended itself, and has said why
            return int(code)
        if isinstance(stop := error.__cause__ or error.__context__, KeyboardInterrupt):
            return _stopped(stop)  # a library, interrupted while it was imported, called it an error of its own
        raise error
    if not said():
        return 2  # no arguments: the help was printed instead
    from cutpoint.cli_mistakes import sentence

    return _fail(sentence(error, arguments), 2, arguments)


def _stopped(stop: BaseException) -> int:
    """Say what an interrupt leaves: nothing, unless who was interrupted knows better (cli_stopping.py: leaving)."""
    print(f"stopped; {shown(str(stop))}" if str(stop) else "stopped; nothing was made", file=sys.stderr)
    return 143 if isinstance(stop, Terminated) else 130


def _fail(message: str, code: int, arguments: list[str]) -> int:
    from cutpoint.cli_mistakes import without_passwords

    print(f"error: {shown(' '.join(without_passwords(message, arguments).split()))}", file=sys.stderr)
    return code
