"""The application: its routes, the gate before them, and the page's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from mybro import __version__
from mybro.errors import MybroError, ServerError
from mybro.server import faults
from mybro.server.api import account, assistant, health, live, logs, session, speech, system
from mybro.server.context import Context
from mybro.server.gate import Gate, Rules
from mybro.server.shapes import Done

PAGE = Path(__file__).parent / "page"
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def build(context: Context, rules: Rules, page: Path = PAGE) -> ASGIApp:
    """The whole application behind its gate."""
    app = _application(context, "Speak, and work gets done in your repository.")
    for routes in (
        health.reading, health.acting,
        session.reading, session.counting, session.remembering, session.acting,
        speech.models, speech.changing, speech.openai,
        assistant.chat, assistant.voice, live.router, logs.router, system.router,
        account.browser, account.tokens,
    ):  # fmt: skip
        app.include_router(routes(context))
    _serve_page(app, context, page)
    return Gate(_across_origins(app, context), rules)


def build_logs(context: Context, rules: Rules) -> ASGIApp:
    """The log's own application, for its own port."""
    app = _application(context, "mybro's log.")
    app.include_router(logs.router(context))
    return Gate(_across_origins(app, context), rules)


def _application(context: Context, description: str) -> FastAPI:
    app = FastAPI(
        title="mybro", version=__version__, docs_url=None, redoc_url=None, description=description,
        servers=[{"url": context.base_url}], responses=faults.RESPONSES, redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip

    @app.get("/healthz", tags=["server"])
    async def healthz() -> Done:
        """Whether it is there."""
        return Done()

    _describe_credentials(app)
    _handle_errors(app)
    return app


def _across_origins(app: FastAPI, context: Context) -> ASGIApp:
    return CORSMiddleware(
        app, allow_origins=list(context.settings.cors_origins), allow_credentials=True,
        allow_methods=["GET", "POST", "DELETE"], allow_headers=["*"], expose_headers=["X-Request-ID"],
    )  # fmt: skip


def _serve_page(app: FastAPI, context: Context, page: Path) -> None:
    keeper = context.doorkeeper

    @app.get("/", include_in_schema=False)
    async def index(token: str | None = None) -> Response:
        if token is not None:
            if not keeper.is_page_token(token):
                raise ServerError(
                    "bad_token", "this address is of another run", hint="The terminal shows the new one"
                )
            # The token does not stay in the browser's address bar, its history or a referrer.
            answer: Response = RedirectResponse("/", status_code=303)
            account.set_cookie(context, answer)
            return answer
        return FileResponse(page / "index.html", headers={"content-security-policy": CONTENT_POLICY})

    app.mount("/page", StaticFiles(directory=page), name="page")


def _describe_credentials(app: FastAPI) -> None:
    """Say in the OpenAPI document how to get in; the gate itself asks for it."""
    made = app.openapi

    def document() -> dict[str, Any]:
        schema = made()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        schema["security"] = [{"token": []}]
        for path in ("/healthz",):
            for operation in schema["paths"].get(path, {}).values():
                operation["security"] = []
        return schema

    app.openapi = document  # type: ignore[method-assign]


def _handle_errors(app: FastAPI) -> None:
    def answer(request: Request, error: MybroError, status: int | None = None, **more: Any) -> JSONResponse:
        body = faults.body(error, request.scope["state"]["request_id"])
        return JSONResponse(body, status_code=status or faults.status_of(error), **more)

    @app.exception_handler(MybroError)
    async def ours(request: Request, error: MybroError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        found = faults.of_status(error.status_code, str(error.detail))
        return answer(request, found, error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        return answer(request, ServerError("not_understood", wrong[:500] or "the request is not understood"))

    @app.exception_handler(Exception)
    async def fault(request: Request, _error: Exception) -> JSONResponse:
        # The error goes on to the gate, which logs it without its text.
        return answer(request, ServerError("internal_error", "something went wrong inside mybro"), 500)
