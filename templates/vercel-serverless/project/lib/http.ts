import { ApiError } from "./errors.ts";
import { chooseLimiter, type Limiter } from "./limit.ts";

export type Handler = (request: Request) => Promise<Response>;

const LONGEST_BODY = 16_384;
let limiter: Limiter | undefined;

/** For tests: begin anew with the present settings. */
export function forgetLimiter(): void {
  limiter = undefined;
}

/** A route with what every route needs: its method, a limit, a request id, and errors as data. */
export function route(method: "GET" | "POST", handler: Handler): Handler {
  return async (request) => {
    const id = crypto.randomUUID();
    try {
      if (request.method !== method) {
        throw new ApiError(405, "method_not_allowed", `this address answers ${method}`, "", {
          allow: method,
        });
      }
      limiter ??= chooseLimiter();
      const verdict = await limiter.take(caller(request));
      if (!verdict.allowed) {
        throw new ApiError(429, "too_many_calls", "too many calls", "wait and try again", {
          "retry-after": String(verdict.retryAfterS),
        });
      }
      const response = await handler(request);
      response.headers.set("x-request-id", id);
      response.headers.set("x-ratelimit-remaining", String(verdict.remaining));
      return response;
    } catch (error) {
      return failure(error, id);
    }
  };
}

/** JSON, kept at the edge for `freshS` seconds and served stale for ten times that while it is renewed. */
export function json(data: unknown, freshS = 0): Response {
  const cache = freshS > 0 ? `public, s-maxage=${freshS}, stale-while-revalidate=${freshS * 10}` : "no-store";
  return Response.json(data, { headers: { "cache-control": cache } });
}

/** The body of a request as an object. */
export async function body(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text.length > LONGEST_BODY) throw new ApiError(413, "body_too_large", "the body is too large");
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === "object" && data !== null && !Array.isArray(data))
      return data as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new ApiError(400, "bad_json", "the body is not a JSON object");
}

function caller(request: Request): string {
  // Vercel sets the first one itself: a caller cannot choose it.
  const address = request.headers.get("x-real-ip") ?? request.headers.get("x-forwarded-for") ?? "unknown";
  return address.split(",")[0]?.trim() || "unknown";
}

function failure(error: unknown, id: string): Response {
  const known =
    error instanceof ApiError ? error : new ApiError(500, "internal", "something went wrong here");
  if (known.status >= 500)
    console.error(JSON.stringify({ request_id: id, code: known.code, error: String(error) }));
  const told = { code: known.code, message: known.message, hint: known.hint, request_id: id };
  return Response.json(
    { error: told },
    { status: known.status, headers: { "cache-control": "no-store", "x-request-id": id, ...known.headers } },
  );
}
