import { body, json, route } from "../../../lib/http.ts";
import { issue } from "../../../lib/nonce.ts";
import { address } from "../../../lib/wallet.ts";

export const config = { runtime: "edge" };

export default route("POST", async (request) => {
  const of = address((await body(request)).address);
  return json({ address: of, message: await issue(of) });
});
