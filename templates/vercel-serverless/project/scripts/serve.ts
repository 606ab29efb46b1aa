// The same functions on this machine: no account, no network.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import type { Handler } from "../lib/http.ts";

const ROUTES = ["health", "price", "wallet/balance", "wallet/nonce", "wallet/verify"];
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const name = ROUTES.find((route) => path === `/api/v1/${route}`);
  if (name) {
    const module = (await import(pathToFileURL(join("api/v1", `${name}.ts`)).href)) as { default: Handler };
    return module.default(request);
  }
  const file = normalize(path === "/" ? "/index.html" : path);
  try {
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    return new Response(await readFile(join("public", file)), { headers: { "content-type": type } });
  } catch {
    return new Response("not found", { status: 404 });
  }
}

export function serve(port: number) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = new Request(`http://localhost${incoming.url ?? "/"}`, {
      method: incoming.method ?? "GET",
      headers: { ...(incoming.headers as Record<string, string>), "x-real-ip": "127.0.0.1" },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const response = await answer(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  return server.listen(port, "127.0.0.1");
}

if (process.argv[1]?.endsWith("serve.ts")) {
  const port = Number(process.env.PORT ?? 3000);
  serve(port).on("listening", () => console.log(`http://127.0.0.1:${port}`));
}
