import { setting } from "./env.ts";
import { ApiError } from "./errors.ts";

export type Prices = Record<string, Record<string, number>>;

const NAME = /^[a-z0-9-]{1,64}$/;
const MOST_NAMES = 25;
const TIMEOUT_MS = 3000;

/** Names from a comma-separated list, checked. */
export function names(list: string | null, what: string): string[] {
  const found = [...new Set((list ?? "").toLowerCase().split(",").filter(Boolean))].sort();
  if (found.length === 0 || found.length > MOST_NAMES || !found.every((name) => NAME.test(name))) {
    throw new ApiError(400, "bad_names", `${what} must be 1 to ${MOST_NAMES} names`, "like bitcoin,ethereum");
  }
  return found;
}

/** Prices of coins in currencies. */
export async function prices(coins: string[], currencies: string[]): Promise<Prices> {
  const base = setting("PRICE_API", "https://api.coingecko.com/api/v3");
  const query = new URLSearchParams({ ids: coins.join(","), vs_currencies: currencies.join(",") });
  let answer: Response;
  try {
    answer = await fetch(`${base}/simple/price?${query}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError(
      504,
      "prices_unreachable",
      "the source of prices does not answer",
      "try again shortly",
    );
  }
  if (answer.status === 429) {
    throw new ApiError(503, "prices_limited", "the source of prices is busy", "try again shortly", {
      "retry-after": answer.headers.get("retry-after") ?? "30",
    });
  }
  if (!answer.ok)
    throw new ApiError(502, "prices_failed", "the source of prices failed", "try again shortly");
  return checked(await answer.json().catch(() => null), coins, currencies);
}

function checked(data: unknown, coins: string[], currencies: string[]): Prices {
  const given = (data ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const found: Prices = {};
  for (const coin of coins) {
    for (const currency of currencies) {
      const price = given[coin]?.[currency];
      if (typeof price !== "number" || !Number.isFinite(price)) continue;
      found[coin] ??= {};
      found[coin][currency] = price;
    }
  }
  if (Object.keys(found).length === 0)
    throw new ApiError(404, "unknown_coins", "no price is known for these");
  return found;
}
