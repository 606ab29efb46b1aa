import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import balance from "../api/v1/wallet/balance.ts";
import nonce from "../api/v1/wallet/nonce.ts";
import verify from "../api/v1/wallet/verify.ts";
import { forgetLimiter } from "../lib/http.ts";
import { check, issue } from "../lib/nonce.ts";
import { address, ether, signer } from "../lib/wallet.ts";
import { get, post, type Told, withServer } from "./helpers.ts";

const KEY = keccak_256(utf8ToBytes("a key for tests"));
const PUBLIC = secp256k1.getPublicKey(KEY, false);
const MINE = address(`0x${bytesToHex(keccak_256(PUBLIC.slice(1)).slice(-20))}`);

function sign(message: string): string {
  const text = utf8ToBytes(message);
  const hash = keccak_256(concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${text.length}`), text));
  const made = secp256k1.sign(hash, KEY, { prehash: false, format: "recovered" });
  // The library puts the recovery bit first; wallets put it last, with 27 added.
  return `0x${bytesToHex(made.slice(1))}${(27 + (made[0] ?? 0)).toString(16)}`;
}

async function code(response: Response): Promise<string> {
  return ((await response.json()) as Told).error.code;
}

beforeEach(() => {
  forgetLimiter();
  process.env.SESSION_SECRET = "s".repeat(32);
});

test("addresses have the checksum of EIP-55's examples", () => {
  for (const right of [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
  ]) {
    assert.equal(address(right.toLowerCase()), right);
    assert.equal(address(right), right);
    assert.throws(() => address(right.replace("a", "A").replace("B", "b")), /typing error/);
  }
  assert.throws(() => address("0x12"), /no address/);
  assert.throws(() => address(undefined), /no address/);
});

test("wei become ether exactly", () => {
  assert.equal(ether(0n), "0");
  assert.equal(ether(1n), "0.000000000000000001");
  assert.equal(ether(10n ** 18n), "1");
  assert.equal(ether(1234500000000000000000n), "1234.5");
});

test("a balance comes from the chain", async () => {
  await withServer(
    (_request, response) => response.end('{"jsonrpc": "2.0", "id": 1, "result": "0xde0b6b3a7640000"}'),
    async (url) => {
      process.env.RPC_URL = url;
      const response = await balance(get(`/api/v1/wallet/balance?address=${MINE}`));
      assert.deepEqual(await response.json(), { address: MINE, wei: "1000000000000000000", ether: "1" });
    },
  );
  process.env.RPC_URL = "http://127.0.0.1:1";
  assert.equal(await code(await balance(get(`/api/v1/wallet/balance?address=${MINE}`))), "chain_unreachable");
  assert.equal(await code(await balance(get("/api/v1/wallet/balance?address=x"))), "bad_address");
});

test("a chain that talks nonsense is told", async () => {
  await withServer(
    (_request, response) => response.end('{"error": "no"}'),
    async (url) => {
      process.env.RPC_URL = url;
      assert.equal(await code(await balance(get(`/api/v1/wallet/balance?address=${MINE}`))), "chain_failed");
    },
  );
});

test("a wallet signs in with what was issued to it", async () => {
  const asked = await nonce(post("/api/v1/wallet/nonce", { address: MINE }));
  const { message } = (await asked.json()) as { message: string };
  const signature = sign(message);
  assert.equal(signer(message, signature), MINE);
  const response = await verify(post("/api/v1/wallet/verify", { message, signature }));
  assert.deepEqual(await response.json(), { address: MINE });
});

test("what was not issued here, or long ago, is refused", async () => {
  const message = await issue(MINE);
  await assert.rejects(check(`${message} `, MINE), /not issued here/);
  await assert.rejects(
    check(message.replace(/expires: \d+/, "expires: 9999999999"), MINE),
    /not issued here/,
  );
  await assert.rejects(check(message, `0x${"0".repeat(40)}`), /not issued here/);
  await assert.rejects(check(message, MINE, Date.now() + 301_000), /expired/);
  const other = "I promise";
  const response = await verify(post("/api/v1/wallet/verify", { message: other, signature: sign(other) }));
  assert.equal(await code(response), "not_ours");
});

test("a wrong body is refused", async () => {
  assert.equal(await code(await verify(post("/api/v1/wallet/verify", "{"))), "bad_json");
  assert.equal(await code(await verify(post("/api/v1/wallet/verify", []))), "bad_json");
  assert.equal(await code(await verify(post("/api/v1/wallet/verify", {}))), "bad_message");
  assert.equal(
    await code(await verify(post("/v", { message: "m", signature: `0x${"0".repeat(130)}` }))),
    "bad_signature",
  );
  assert.equal(await code(await nonce(post("/v", "x".repeat(20_000)))), "body_too_large");
});

test("without a secret nobody can sign in, and it is said why", async () => {
  process.env.SESSION_SECRET = "";
  const response = await nonce(post("/api/v1/wallet/nonce", { address: MINE }));
  assert.equal(response.status, 503);
  assert.equal(await code(response), "sign_in_off");
});
