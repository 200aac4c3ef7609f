"""Spyne 2.14.0, made importable on Python 3.12 and later; the only module that imports it.

Spyne was last released in 2022 and is pinned. Two things are missing for it: the import hook of the ``six`` that it
carries has no ``find_spec`` (needed since 3.12), and the standard library's ``cgi`` is gone (since 3.13).
"""

import importlib.util
import logging
import sys
import types
from email.message import Message
from importlib.machinery import ModuleSpec
from typing import Any


def install() -> None:
    """Give Spyne what later Pythons took away; harmless on 3.11 and when called again."""
    if "spyne.util.six" not in sys.modules and sys.version_info >= (3, 12):
        _teach_six_to_find_specs()
    if "cgi" not in sys.modules and sys.version_info >= (3, 13):
        sys.modules["cgi"] = _cgi()


def parse_header(line: str) -> tuple[str, dict[str, str]]:
    """What ``cgi.parse_header`` did: a media type and its parameters."""
    message = Message()
    message["content-type"] = line
    (name, _), *parameters = message.get_params() or [("", "")]
    return name, dict(parameters)


def _teach_six_to_find_specs() -> None:
    package = importlib.util.find_spec("spyne")
    if package is None or not package.submodule_search_locations:
        raise ImportError("Spyne is not installed")
    location = f"{package.submodule_search_locations[0]}/util/six.py"
    spec = importlib.util.spec_from_file_location("spyne.util.six", location)
    if spec is None or spec.loader is None:
        raise ImportError(f"{location} is missing")
    six: Any = importlib.util.module_from_spec(spec)
    sys.modules["spyne.util.six"] = six
    spec.loader.exec_module(six)
    importer = type(six._importer)
    if not hasattr(importer, "find_spec"):
        importer.find_spec = _find_spec
        importer.create_module = lambda self, spec: self.load_module(spec.name)
        importer.exec_module = lambda self, module: None


def _find_spec(importer: Any, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
    return importlib.util.spec_from_loader(name, importer) if name in importer.known_modules else None


def _cgi() -> types.ModuleType:
    module: Any = types.ModuleType("cgi")
    module.parse_header = parse_header
    module.FieldStorage = None  # Spyne touches it for HTML forms only, which we do not serve.
    return module  # type: ignore[no-any-return]


install()
# Spyne logs bodies that it cannot read, and those are patient data; what goes wrong is logged by soap.server.
logging.getLogger("spyne").setLevel(logging.CRITICAL)

from spyne import AnyXml, Application, ComplexModel, ServiceBase, rpc  # noqa: E402
from spyne.context import MethodContext  # noqa: E402
from spyne.interface.wsdl import Wsdl11  # noqa: E402
from spyne.protocol.soap import Soap12  # noqa: E402
from spyne.server import ServerBase  # noqa: E402

__all__ = [
    "AnyXml",
    "Application",
    "ComplexModel",
    "MethodContext",
    "ServerBase",
    "ServiceBase",
    "Soap12",
    "Wsdl11",
    "rpc",
]
