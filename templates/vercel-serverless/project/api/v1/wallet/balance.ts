import { json, route } from "../../../lib/http.ts";
import { address, balance, ether } from "../../../lib/wallet.ts";

export const config = { runtime: "edge" };

const FRESH_S = 10;

export default route("GET", async (request) => {
  const of = address(new URL(request.url).searchParams.get("address"));
  const wei = await balance(of);
  return json({ address: of, wei: wei.toString(), ether: ether(wei) }, FRESH_S);
});
