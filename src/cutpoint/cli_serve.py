"""`cutpoint serve`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cutpoint.cli_terminal import FilesOption, NameArgument, say

HostOption = Annotated[
    str, typer.Option(help="Address to listen at; 0.0.0.0 is all of this machine's, and needs --names.")
]
NamesOption = Annotated[
    str, typer.Option("--names", help="Names under which people reach it, with commas between; others are refused.")
]
NewLinksOption = Annotated[
    bool, typer.Option("--new-links", help="Revoke the links of all who are named here, and make others.")
]


def serve(
    name: NameArgument,
    *,
    annotators: Annotated[str | None, typer.Option(help="Who labels: names, with commas between.")] = None,
    admins: Annotated[str, typer.Option(help="Who runs the campaign: names, with commas between.")] = "admin",
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0: a free one.")] = 8000,
    names: NamesOption = "",
    https: Annotated[bool, typer.Option("--https", help="A proxy in front of it speaks https.")] = False,
    new_links: NewLinksOption = False,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, if they have moved; noted for the next time.")
    ] = None,
    new_round: Annotated[
        bool,
        typer.Option(
            "--new-round", help="Where the round at hand cannot go on, end it and begin another; no answer is lost."
        ),
    ] = False,
    training_limit: Annotated[
        float, typer.Option("--training-limit", help="Seconds after which a training is taken for hung and ended.")
    ] = 3600.0,
    files: FilesOption = None,
) -> None:
    """Serve a campaign's pages until Ctrl-C, which loses nothing; prints one private link for each person.

    A link is shown when it is made, and never again. A model is trained beside it, in a process of its own.
    """
    from cutpoint.cli_stopping import leaving, terminable
    from cutpoint.data.pools.bring import listed
    from cutpoint.service.place import OF_SERVER, check_installed

    check_installed(OF_SERVER)
    from cutpoint.service.web.server import Where
    from cutpoint.service.web.server import serve as run

    where = Where(host, port, [name for name in listed(names) if name], https)
    people, masters = [] if annotators is None else listed(annotators), listed(admins)
    with terminable(), leaving("everything that was said to be saved is kept"):
        run(
            name,
            people,
            where=where,
            admins=masters,
            new_links=new_links,
            files=files,
            pictures=images,
            training_limit=training_limit,
            new_round=new_round,
            say=say,
        )
