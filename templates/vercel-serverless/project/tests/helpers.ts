import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of the test's own on the loopback, for as long as `use` runs. */
export async function withServer<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export function get(path: string, headers: Record<string, string> = {}): Request {
  return new Request(`https://example.test${path}`, { headers });
}

export function post(path: string, data: unknown): Request {
  const body = typeof data === "string" ? data : JSON.stringify(data);
  return new Request(`https://example.test${path}`, { method: "POST", body });
}

export type Told = { error: { code: string; message: string; hint: string; request_id: string } };
