import { setting } from "./env.ts";
import { ApiError } from "./errors.ts";

const LIFE_S = 300;

/** What a wallet signs to show that it is the person's: it carries its own proof, so nothing is stored. */
export async function issue(address: string, now = Date.now()): Promise<string> {
  const expires = Math.floor(now / 1000) + LIFE_S;
  return `Sign in\naddress: ${address}\nexpires: ${expires}\nproof: ${await proof(address, expires)}`;
}

/** Check that a message was issued here for this address and still holds. */
export async function check(message: string, address: string, now = Date.now()): Promise<void> {
  const expires = Number(/^expires: (\d{1,12})$/m.exec(message)?.[1] ?? 0);
  const right = await issue(address, (expires - LIFE_S) * 1000);
  if (!same(message, right))
    throw new ApiError(401, "not_ours", "this message was not issued here for this address");
  if (expires * 1000 < now)
    throw new ApiError(401, "expired", "the message has expired", "ask for a new one");
}

async function proof(address: string, expires: number): Promise<string> {
  const secret = setting("SESSION_SECRET");
  if (secret.length < 32) {
    const hint = "set SESSION_SECRET to at least 32 random characters";
    throw new ApiError(503, "sign_in_off", "signing in is not set up", hint);
  }
  const encode = new TextEncoder();
  const how = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encode.encode(secret), how, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encode.encode(`${address} ${expires}`));
  return [...new Uint8Array(mac)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compare without telling by the time how much is right. */
function same(a: string, b: string): boolean {
  let differs = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) differs |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return differs === 0;
}
