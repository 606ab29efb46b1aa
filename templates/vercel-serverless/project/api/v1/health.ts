import { json, route } from "../../lib/http.ts";

export const config = { runtime: "edge" };

export default route("GET", async () => json({ ok: true }));
