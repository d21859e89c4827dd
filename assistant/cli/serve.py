"""The command that opens a server for browsers: `assistant serve`."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.options import PATH, BaseOptions, base_options, together
from assistant.errors import SettingsError

if TYPE_CHECKING:
    from assistant.channels.web.values import Access
    from assistant.settings import Settings

_TLS = "the microphone of a browser needs HTTPS there: --self-signed, or --tls-cert and --tls-key"


@dataclass(frozen=True, slots=True)
class ServeChoice:
    """How the server is wanted on the command line."""

    host: str
    port: int
    names: tuple[str, ...]
    origins: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None
    self_signed: bool


_serve_options = together(
    "choice",
    ServeChoice,
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Where to listen; 0.0.0.0 is every network that this machine is in.",
    ),
    click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0: any."),
    click.option(
        "--name",
        "names",
        multiple=True,
        metavar="NAME",
        help="What browsers call this machine, such as kiosk.shop.example; may be repeated.",
    ),
    click.option(
        "--origin",
        "origins",
        multiple=True,
        metavar="SITE",
        help="A site that may show the chat, such as https://shop.example; may be repeated.",
    ),
    click.option("--tls-cert", type=PATH, metavar="FILE", help="The certificate chain, for HTTPS."),
    click.option("--tls-key", type=PATH, metavar="FILE", help="Its key."),
    click.option("--self-signed", is_flag=True, help="HTTPS with a certificate made here and kept."),
)


@click.command()
@_serve_options
@base_options
def serve(choice: ServeChoice, base: BaseOptions) -> int:
    """Serve the chat and the kiosk to browsers, and an interface to other programs.

    Nobody but this machine is served unless --host says so. Changed pages are taken up while it
    runs. Ctrl-C or SIGTERM ends it.

    \b
    Examples:
      assistant serve                             http://127.0.0.1:8000/ and /kiosk
      assistant serve --host 0.0.0.0 --name kiosk.shop.example --self-signed
      assistant serve --origin https://shop.example   its pages may show the chat
    """
    from assistant import wiring
    from assistant.channels.native_noise import native_noise_dropped
    from assistant.channels.screen import Screen
    from assistant.channels.web.app import create_app
    from assistant.channels.web.server import serve as run_server
    from assistant.wiring.web import open_backstage

    settings = _as_chosen(base.settings(), choice)
    access = _access(choice)
    assistant = wiring.build_assistant(settings, hears=True)
    notes = Screen(sys.stderr)
    notes.notes(assistant.matcher.notes)
    with native_noise_dropped(), open_backstage(settings, assistant) as backstage:
        notes.notes(_meaning(choice, access))
        app = create_app(backstage, access)
        return run_server(app, access, lambda address: click.echo(_invitation(address)))


def _as_chosen(settings: Settings, choice: ServeChoice) -> Settings:
    from assistant.settings import checked_origins

    origins = (*settings.web.origins, *checked_origins("--origin", list(choice.origins)))
    return replace(settings, web=replace(settings.web, origins=origins))


def _access(choice: ServeChoice) -> Access:
    from assistant.channels.web.values import Access

    return Access(choice.host, choice.port, choice.names, _certificate(choice))


def _certificate(choice: ServeChoice) -> tuple[Path, Path] | None:
    if choice.self_signed and (choice.tls_cert or choice.tls_key):
        raise SettingsError("--self-signed makes a certificate, --tls-cert brings one", "give one of the two")
    if choice.self_signed:
        from assistant.channels.web.certificates import self_signed
        from assistant.wiring import state_folder

        return self_signed(state_folder(), [choice.host, *choice.names])
    if not (choice.tls_cert and choice.tls_key):
        if choice.tls_cert or choice.tls_key:
            raise SettingsError("HTTPS takes a certificate and its key", "give --tls-cert and --tls-key")
        return None
    for path in (choice.tls_cert, choice.tls_key):
        if not path.is_file():
            raise SettingsError(f"{path} does not exist", "name the PEM file, or use --self-signed")
    return choice.tls_cert, choice.tls_key


def _meaning(choice: ServeChoice, access: Access) -> Iterator[str]:
    """What an address means that others can reach."""
    if _is_local(choice.host):
        return
    yield f"whoever reaches {choice.host} over the network can ask, and read all answers of the pages"
    if access.certificate is None:
        yield f"what they say crosses the network unencrypted; {_TLS}"
    if choice.host in ("0.0.0.0", "::") and not choice.names:
        yield "it answers to this machine's addresses only: name it with --name kiosk.shop.example"


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invitation(address: str) -> str:
    return f"chat: {address}/\nkiosk: {address}/kiosk\nCtrl-C ends it"
