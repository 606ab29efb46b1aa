import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import health from "../api/v1/health.ts";
import { forgetLimiter } from "../lib/http.ts";
import { CALLS, MemoryLimiter, SharedLimiter } from "../lib/limit.ts";
import { get, type Told, withServer } from "./helpers.ts";

beforeEach(forgetLimiter);

test("a budget is used up and refills evenly", async () => {
  let now = 0;
  const limiter = new MemoryLimiter(2, 10, () => now);
  assert.equal((await limiter.take("a")).allowed, true);
  assert.deepEqual(await limiter.take("a"), { allowed: true, remaining: 0, retryAfterS: 0 });
  assert.deepEqual(await limiter.take("a"), { allowed: false, remaining: 0, retryAfterS: 5 });
  assert.equal((await limiter.take("b")).allowed, true);
  now = 5;
  assert.equal((await limiter.take("a")).allowed, true);
  assert.equal((await limiter.take("a")).allowed, false);
});

test("many callers take bounded memory", async () => {
  const limiter = new MemoryLimiter(1, 1000);
  for (let i = 0; i <= 10_000; i++) await limiter.take(String(i));
  assert.equal((await limiter.take("10000")).allowed, false);
  assert.equal((await limiter.take("0")).allowed, true, "the one that was quiet longest was forgotten");
});

test("a route refuses who calls too often, and only them", async () => {
  for (let i = 0; i < CALLS; i++) {
    assert.equal((await health(get("/api/v1/health", { "x-real-ip": "1.1.1.1" }))).status, 200);
  }
  const refused = await health(get("/api/v1/health", { "x-real-ip": "1.1.1.1" }));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(((await refused.json()) as Told).error.code, "too_many_calls");
  assert.equal((await health(get("/api/v1/health", { "x-real-ip": "2.2.2.2" }))).status, 200);
});

test("with Redis all copies share one budget", async () => {
  const counts = new Map<string, number>();
  await withServer(
    async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      const [[, key]] = JSON.parse(text) as [[string, string]];
      counts.set(key, (counts.get(key) ?? 0) + 1);
      assert.equal(request.headers.authorization, "Bearer token");
      response.end(JSON.stringify([{ result: counts.get(key) }, { result: 1 }]));
    },
    async (url) => {
      const [one, other] = [
        new SharedLimiter(url, "token", 3, 3600),
        new SharedLimiter(url, "token", 3, 3600),
      ];
      assert.deepEqual(
        [await one.take("a"), await other.take("a"), await one.take("a"), await other.take("a")].map(
          (v) => v.allowed,
        ),
        [true, true, true, false],
      );
    },
  );
});

test("without its Redis a copy counts for itself", async () => {
  const limiter = new SharedLimiter("http://127.0.0.1:1", "token", 1, 1000);
  assert.equal((await limiter.take("a")).allowed, true);
  assert.equal((await limiter.take("a")).allowed, false);
});
