import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { setting } from "./env.ts";
import { ApiError } from "./errors.ts";

const TIMEOUT_MS = 3000;
const WEI_DIGITS = 18;

/** An address in its checksummed spelling (EIP-55). A wrong checksum is a typing error, and refused. */
export function address(text: unknown): string {
  if (typeof text !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new ApiError(400, "bad_address", "that is no address", "0x and 40 hexadecimal digits");
  }
  const lower = text.slice(2).toLowerCase();
  const hash = bytesToHex(keccak_256(utf8ToBytes(lower)));
  const spelled = [...lower].map((digit, i) =>
    Number.parseInt(hash.charAt(i), 16) > 7 ? digit.toUpperCase() : digit,
  );
  const right = `0x${spelled.join("")}`;
  const mixed = text.slice(2) !== lower && text.slice(2) !== lower.toUpperCase();
  if (mixed && text !== right) throw new ApiError(400, "bad_checksum", "the address has a typing error");
  return right;
}

/** The balance of an address, in wei. */
export async function balance(of: string): Promise<bigint> {
  const url = setting("RPC_URL", "https://ethereum-rpc.publicnode.com");
  let result: unknown;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getBalance", params: [of, "latest"] }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    ({ result } = (await answer.json()) as { result: unknown });
  } catch {
    throw new ApiError(504, "chain_unreachable", "the chain's node does not answer", "try again shortly");
  }
  if (typeof result !== "string" || !/^0x[0-9a-f]+$/i.test(result)) {
    throw new ApiError(502, "chain_failed", "the chain's node failed", "try again shortly");
  }
  return BigInt(result);
}

/** Wei as a decimal number of ether, exactly. */
export function ether(wei: bigint): string {
  const digits = wei.toString().padStart(WEI_DIGITS + 1, "0");
  const whole = digits.slice(0, -WEI_DIGITS);
  const rest = digits.slice(-WEI_DIGITS).replace(/0+$/, "");
  return rest ? `${whole}.${rest}` : whole;
}

/** Whose signature of a message this is (EIP-191, as wallets make it with personal_sign). */
export function signer(message: string, signature: unknown): string {
  if (typeof signature !== "string" || !/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new ApiError(400, "bad_signature", "that is no signature", "0x and 130 hexadecimal digits");
  }
  const bytes = hexToBytes(signature.slice(2));
  const recovery = (bytes[64] ?? 0) % 27;
  const text = utf8ToBytes(message);
  const hash = keccak_256(concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${text.length}`), text));
  try {
    const parsed = secp256k1.Signature.fromBytes(bytes.slice(0, 64), "compact").addRecoveryBit(recovery);
    const key = parsed.recoverPublicKey(hash).toBytes(false);
    return address(`0x${bytesToHex(keccak_256(key.slice(1)).slice(-20))}`);
  } catch {
    throw new ApiError(400, "bad_signature", "the signature does not fit any key");
  }
}
