"""One execution environment of Lambda: a Runtime API on loopback, and the provider's runtime client that asks it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

_API = "/2018-06-01/runtime"
_FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:alert"


@dataclass(frozen=True)
class Outcome:
    """How one invocation ended: ``answer`` is what the function returned, or the runtime's report of its error."""

    answer: Any
    error_type: str | None
    request_id: str
    log: str
    seconds: float


class LambdaRuntime:
    """``folder`` holds ``index.py``; its ``handler`` runs in one warm process with nothing but ``environment``.

    The process reaches nothing beyond loopback: everything else goes to a proxy that is not there.
    """

    def __init__(self, folder: Path, environment: dict[str, str], *, timeout: float = 20) -> None:
        self._folder = folder
        self._environment = environment
        self._timeout = timeout
        self._log = folder / "log"
        self._events: queue.Queue[tuple[str, object] | None] = queue.Queue()
        self._outcomes: queue.Queue[tuple[str, Any, str | None]] = queue.Queue()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_class())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", "index.handler"],
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    "PATH": os.environ["PATH"],
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
                    "AWS_REGION": "us-east-1",
                    "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "HTTP_PROXY": "http://127.0.0.1:1",
                    "HTTPS_PROXY": "http://127.0.0.1:1",
                    "NO_PROXY": "127.0.0.1",
                    **self._environment,
                },
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def invoke(self, event: object) -> Outcome:
        """Hand one event to the function; its outcome. TimeoutError, with the log, when it takes too long."""
        request_id = str(uuid.uuid4())
        logged, started = self._log.stat().st_size, time.monotonic()
        self._events.put((request_id, event))
        try:
            answered, answer, error_type = self._outcomes.get(timeout=self._timeout)
        except queue.Empty:
            ended = self._process.poll()
            raise TimeoutError(
                f"no outcome within {self._timeout} s, exit code {ended}:\n{self._log.read_text()}"
            ) from None
        assert answered in (request_id, "init"), f"answer to {answered}"
        log = self._log.read_bytes()[logged:].decode()
        return Outcome(answer, error_type, request_id, log, time.monotonic() - started)

    def _request_class(runtime) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                upcoming = runtime._events.get() if self.path == f"{_API}/invocation/next" else None
                if upcoming is None:
                    self.close_connection = True
                    return
                request_id, event = upcoming
                headers = {
                    "Content-Type": "application/json",  # the client crashes without it
                    "Lambda-Runtime-Aws-Request-Id": request_id,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + runtime._timeout) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": _FUNCTION_ARN,
                }
                self._answer(200, json.dumps(event).encode(), headers)

            def do_POST(self) -> None:
                answer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request_id = self.path.removeprefix(f"{_API}/invocation/").split("/")[0]
                if self.path == f"{_API}/init/error":
                    request_id = "init"
                error_type = answer["errorType"] if self.path.endswith("/error") else None
                self._answer(202, b'{"status":"OK"}', {})
                runtime._outcomes.put((request_id, answer, error_type))

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Request
