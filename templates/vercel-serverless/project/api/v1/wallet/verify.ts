import { ApiError } from "../../../lib/errors.ts";
import { body, json, route } from "../../../lib/http.ts";
import { check } from "../../../lib/nonce.ts";
import { signer } from "../../../lib/wallet.ts";

export const config = { runtime: "edge" };

export default route("POST", async (request) => {
  const { message, signature } = await body(request);
  if (typeof message !== "string") throw new ApiError(400, "bad_message", "the message is missing");
  const address = signer(message, signature);
  await check(message, address);
  return json({ address });
});
