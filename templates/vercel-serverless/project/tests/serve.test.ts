import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { serve } from "../scripts/serve.ts";

test("the whole thing runs on this machine", async () => {
  const server = serve(0);
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const health = await fetch(`${base}/api/v1/health`);
    assert.deepEqual(await health.json(), { ok: true });
    const page = await fetch(`${base}/`);
    assert.equal(page.headers.get("content-type"), "text/html");
    assert.match(await page.text(), /<main>/);
    assert.equal((await fetch(`${base}/api/v1/nothing`)).status, 404);
    assert.equal((await fetch(`${base}/%2e%2e/package.json`)).status, 404);
    const wrong = await fetch(`${base}/api/v1/wallet/verify`, { method: "POST", body: "{}" });
    assert.equal(wrong.status, 400);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
