"""Who is there: the browser's session, and programs' tokens."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from mybro.errors import ServerError
from mybro.server.auth import Who
from mybro.server.browsers import SESSION_S
from mybro.server.context import Context, Needs
from mybro.server.rates import Rates
from mybro.server.shapes import Done, IssuedToken, Login, NewToken, Session, TokenEntry

ATTEMPTS_PER_S = 0.1
ATTEMPTS = 10


def browser(context: Context) -> APIRouter:
    """`/v1/session`: the browser's."""
    routes = APIRouter(tags=["account"])
    keeper = context.doorkeeper
    attempts = Rates(ATTEMPTS_PER_S, ATTEMPTS)

    def described(who: Who) -> Session:
        return Session(name=who.name, scope=who.scope, by=who.by, password_login=keeper.has_password)

    @routes.get("/v1/session")
    async def session(request: Request) -> Session:
        """Who the caller is."""
        headers = request.headers
        return described(keeper.who(headers.get("authorization", ""), headers.get("cookie", "")))

    @routes.post("/v1/session")
    async def login(shown: Login, request: Request, response: Response) -> Session:
        """Show the page's token or the password, and get a cookie."""
        address = request.client.host if request.client else "local"
        if wait := attempts.take(address, time.monotonic()):
            raise ServerError("too_many_requests", f"too many attempts: wait {wait:.0f} s", retryable=True)
        good = shown.token is not None and keeper.is_page_token(shown.token)
        if not good and shown.password is not None and keeper.has_password:
            good = await asyncio.to_thread(keeper.is_password, shown.password)
        if not good:
            raise ServerError("bad_password", "that is not it", hint="The terminal shows the page's address")
        set_cookie(context, response)
        return described(Who("browser", "act", "cookie"))

    @routes.delete("/v1/session")
    async def logout(request: Request, response: Response) -> Done:
        """Forget this browser."""
        keeper.close_session(request.headers.get("cookie", ""))
        response.delete_cookie(keeper.cookie)
        return Done()

    return routes


def tokens(context: Context) -> APIRouter:
    """`/v1/tokens`: those of programs; scope `act`."""
    routes = APIRouter(tags=["account"])
    keeper = context.doorkeeper

    @routes.get("/v1/tokens")
    async def token_list(_: Annotated[Who, Depends(Needs("act"))]) -> list[TokenEntry]:
        """The tokens of programs that have not expired."""
        return [TokenEntry.model_validate(one, from_attributes=True) for one in keeper.tokens.all()]

    @routes.post("/v1/tokens", status_code=201)
    async def issue(wanted: NewToken, who: Annotated[Who, Depends(Needs("act"))]) -> IssuedToken:
        """A token for a program. Only the page and the terminal give them out."""
        if who.by == "token":
            raise ServerError("scope_too_small", "a token cannot make another", hint="Use the page")
        token, entry = keeper.tokens.issue(wanted.scope, wanted.days, wanted.name)
        shown = TokenEntry.model_validate(entry, from_attributes=True)
        return IssuedToken(token=token, **shown.model_dump())

    @routes.delete("/v1/tokens/{number}")
    async def revoke(
        number: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")], _: Annotated[Who, Depends(Needs("act"))]
    ) -> Done:
        """From now on it is refused."""
        keeper.tokens.revoke(number)
        return Done()

    return routes


def set_cookie(context: Context, response: Response) -> None:
    keeper = context.doorkeeper
    response.set_cookie(
        keeper.cookie, keeper.open_session(), httponly=True, samesite="strict", path="/",
        max_age=int(SESSION_S),
        secure=context.base_url.startswith("https:"),
    )  # fmt: skip
