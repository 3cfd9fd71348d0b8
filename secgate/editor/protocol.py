"""The protocol as pygls speaks it, and what it leaves out: an error for each message that cannot be answered.

Source: JSON-RPC 2.0, section 5; LSP 3.17, Base Protocol and Server lifecycle.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method


class Protocol(LanguageServerProtocol):
    """What pygls makes of the protocol, but for columns and for errors.

    Columns are UTF-16, which every client knows, and no others. A message that is no JSON, is no message of JSON-RPC,
    has wrong parameters or comes at the wrong time is answered with an error: a client waits for it.
    """

    _greeted = False

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Leave the client no choice of columns. Source: LSP 3.17, PositionEncodingKind."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        self._greeted = True
        return (yield from super().lsp_initialize(params))

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Give an object as it is: pygls asks this for each one within a message too, and only the whole is one."""
        return data

    def handle_message(self, message: Any) -> None:
        """Handle a message that was read, whatever it is; a request that cannot be handled is answered with an error.

        Notifications at the wrong time are dropped. Of what else nobody waits for an answer to, the log hears.
        """
        sent = message if isinstance(message, dict) else {}
        method = sent.get("method")
        is_answer = method is None and bool(sent.keys() & {"result", "error"})
        try:
            if sent.get("jsonrpc") != self.VERSION or not (is_answer or isinstance(method, str)):
                raise JsonRpcInvalidRequest
            if "id" in sent and _number(sent) is None:
                raise JsonRpcInvalidRequest
            untimely = None if is_answer or method == types.EXIT else self._untimely(method)
            if not is_answer and self.get_message_type(method) is None:
                sent = {"params": None, **sent}  # may be left out, and pygls wants it of what it does not know
            if untimely is None:
                super().handle_message(super().structure_message(sent))
            elif "id" in sent:
                raise untimely
        except JsonRpcException as error:
            if is_answer or (isinstance(method, str) and "id" not in sent):
                self._server.report_server_error(error, JsonRpcException)
            else:
                self._refuse(_number(sent), error)

    def unread(self, error: Exception, source: type[Exception]) -> None:
        """Answer a body that is no JSON; of any other fault in a message the log hears.

        Raises BrokenPipeError where the client is gone.
        """
        if isinstance(error, BrokenPipeError):
            raise error
        if isinstance(error, ValueError | RecursionError):
            self._refuse(None, JsonRpcParseError())
        else:
            self._server.report_server_error(error, JsonRpcException)
        del source

    def _refuse(self, number: str | int | None, error: JsonRpcException) -> None:
        # Of pygls' types an id of null is left out, and what has none is no answer. Source: JSON-RPC 2.0, section 5.
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": error.to_response_error()})

    def _untimely(self, method: object) -> JsonRpcException | None:
        """Give what is wrong with a message before `initialize`, after `shutdown`, or with a second `initialize`."""
        if self._shutdown:
            return JsonRpcInvalidRequest("Invalid Request: nothing is answered after shutdown")
        if not self._greeted and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized("Server Not Initialized: initialize comes first")
        if self._greeted and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("Invalid Request: initialize comes once")
        return None


def _number(sent: Mapping[str, Any]) -> str | int | None:
    """Give the id of a request, None for what is none: such a request is answered with null."""
    number = sent.get("id")
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None
