import { json, route } from "../../lib/http.ts";
import { names, prices } from "../../lib/price.ts";

export const config = { runtime: "edge" };

const FRESH_S = 30;

export default route("GET", async (request) => {
  const query = new URL(request.url).searchParams;
  const coins = names(query.get("coins") ?? "bitcoin,ethereum", "coins");
  const currencies = names(query.get("currencies") ?? "usd", "currencies");
  return json({ prices: await prices(coins, currencies) }, FRESH_S);
});
