import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import price from "../api/v1/price.ts";
import { forgetLimiter } from "../lib/http.ts";
import { get, type Told, withServer } from "./helpers.ts";

beforeEach(forgetLimiter);

async function ask(path: string, status: number, answer: string): Promise<Response> {
  return withServer(
    (_request, response) => response.writeHead(status).end(answer),
    async (url) => {
      process.env.PRICE_API = url;
      return price(get(path));
    },
  );
}

async function code(response: Response): Promise<string> {
  return ((await response.json()) as Told).error.code;
}

test("prices come with a time for which the edge keeps them", async () => {
  const response = await ask(
    "/api/v1/price?coins=Bitcoin",
    200,
    '{"bitcoin": {"usd": 1.5}, "other": {"usd": 2}}',
  );
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { prices: { bitcoin: { usd: 1.5 } } });
  assert.match(response.headers.get("cache-control") ?? "", /s-maxage=30, stale-while-revalidate=300/);
  assert.ok(response.headers.get("x-request-id"));
});

for (const query of [
  "coins=",
  "coins=../etc",
  `coins=${Array.from({ length: 26 }, (_, i) => `c${i}`)}`,
  "currencies=%00",
]) {
  test(`a wrong question is refused: ${query}`, async () => {
    const response = await price(get(`/api/v1/price?${query}`));
    assert.equal(response.status, 400);
    assert.equal(await code(response), "bad_names");
  });
}

for (const [status, answer, expected, told] of [
  [500, "", 502, "prices_failed"],
  [429, "", 503, "prices_limited"],
  [200, "not json", 404, "unknown_coins"],
  [200, '{"bitcoin": {"usd": "1"}}', 404, "unknown_coins"],
] as const) {
  test(`a source that answers ${status} ${answer} is told as ${told}`, async () => {
    const response = await ask("/api/v1/price?coins=bitcoin", status, answer);
    assert.equal(response.status, expected);
    assert.equal(await code(response), told);
    assert.equal(response.headers.get("cache-control"), "no-store", "a failure is not kept");
  });
}

test("a source that is away is told", async () => {
  process.env.PRICE_API = "http://127.0.0.1:1";
  assert.equal(await code(await price(get("/api/v1/price"))), "prices_unreachable");
});

test("another method is refused", async () => {
  const response = await price(new Request("https://example.test/api/v1/price", { method: "POST" }));
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "GET");
});
