import { setting } from "./env.ts";

/** What is left of a caller's budget. */
export type Verdict = { allowed: boolean; remaining: number; retryAfterS: number };

export interface Limiter {
  take(key: string): Promise<Verdict>;
}

export const CALLS = 60;
export const WINDOW_S = 60;
const MOST_CALLERS = 10_000;

/** A budget of calls that refills evenly, for each caller of this running copy. */
export class MemoryLimiter implements Limiter {
  private readonly budgets = new Map<string, { left: number; at: number }>();

  constructor(
    private readonly calls = CALLS,
    private readonly windowS = WINDOW_S,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {}

  async take(key: string): Promise<Verdict> {
    const now = this.now();
    const rate = this.calls / this.windowS;
    const known = this.budgets.get(key);
    const left = known ? Math.min(this.calls, known.left + (now - known.at) * rate) : this.calls;
    const allowed = left >= 1;
    // Deleting first moves a caller to the end: the first one is the one that was quiet longest.
    this.budgets.delete(key);
    this.budgets.set(key, { left: allowed ? left - 1 : left, at: now });
    if (this.budgets.size > MOST_CALLERS) {
      const oldest = this.budgets.keys().next().value;
      if (oldest !== undefined) this.budgets.delete(oldest);
    }
    const remaining = Math.floor(allowed ? left - 1 : left);
    return { allowed, remaining, retryAfterS: allowed ? 0 : Math.ceil((1 - left) / rate) };
  }
}

/** The same budget for all regions, counted in Redis by windows; where Redis is away, in memory. */
export class SharedLimiter implements Limiter {
  private readonly instead: MemoryLimiter;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly calls = CALLS,
    private readonly windowS = WINDOW_S,
  ) {
    this.instead = new MemoryLimiter(calls, windowS);
  }

  async take(key: string): Promise<Verdict> {
    const nowS = Date.now() / 1000;
    const window = Math.floor(nowS / this.windowS);
    const name = `limit:${key}:${window}`;
    try {
      const answer = await fetch(`${this.url}/pipeline`, {
        method: "POST",
        headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
        body: JSON.stringify([
          ["INCR", name],
          ["EXPIRE", name, this.windowS],
        ]),
        signal: AbortSignal.timeout(500),
      });
      const [counted] = (await answer.json()) as { result: number }[];
      if (!answer.ok || typeof counted?.result !== "number") throw new Error("no count");
      const remaining = Math.max(0, this.calls - counted.result);
      const retryAfterS = Math.ceil((window + 1) * this.windowS - nowS);
      const allowed = counted.result <= this.calls;
      return { allowed, remaining, retryAfterS: allowed ? 0 : retryAfterS };
    } catch {
      return this.instead.take(key);
    }
  }
}

/** Shared where it is configured, else for this copy alone. */
export function chooseLimiter(): Limiter {
  const url = setting("UPSTASH_REDIS_REST_URL");
  const token = setting("UPSTASH_REDIS_REST_TOKEN");
  return url && token ? new SharedLimiter(url, token) : new MemoryLimiter();
}
