"""A stand-in for the Lambda service in this process: it takes every invocation, keeps it, and answers."""

from __future__ import annotations

import http.server
import json
import re
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

_INVOCATION = re.compile(r"^/(?P<caller>[^/]+)/2015-03-31/functions/(?P<function>[^/]+)/invocations")


@dataclass(frozen=True)
class Invocation:
    """One call of ``aws_lambda.invoke()``: which function, with what, and in which way (RequestResponse, Event, DryRun)."""

    function: str
    payload: Any
    invocation_type: str


class LambdaRecorder:
    """Listens on a port of loopback. Callers are told apart by the first part of the URL's path."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, Invocation]] = []
        self._failure: str | None = None
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers as Lambda's Invoke does."""

            def do_POST(self) -> None:
                """Take one invocation."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                how = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
                match = _INVOCATION.match(unquote(self.path))
                if match is None:
                    self.send_error(404)
                    return
                status, headers, answer = recorder.take(
                    match["caller"], Invocation(match["function"], json.loads(body), how)
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it is called by
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="lambda-recorder", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def endpoint_for(self, caller: str) -> str:
        """What ``aws_lambda.endpoint_override`` has to be for ``caller``."""
        return f"http://127.0.0.1:{self._server.server_port}/{caller}"

    def taken_from(self, caller: str) -> tuple[Invocation, ...]:
        """What ``caller`` has invoked, in its order."""
        return tuple(invocation for name, invocation in self._taken if name == caller)

    def fail_with(self, message: str | None) -> None:
        """Answer from now on as a function that raises an error with this message; as one that works for None."""
        self._failure = message

    def take(self, caller: str, invocation: Invocation) -> tuple[int, dict[str, str], bytes]:
        """Keep an invocation; status, headers and body of the answer."""
        self._taken.append((caller, invocation))
        if invocation.invocation_type == "DryRun":
            return 204, {}, b""
        if invocation.invocation_type == "Event":
            return 202, {}, b""
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if self._failure is None:
            return 200, headers, b"null"
        error = {"errorMessage": self._failure, "errorType": "Exception"}
        return 200, {**headers, "X-Amz-Function-Error": "Unhandled"}, json.dumps(error).encode()
