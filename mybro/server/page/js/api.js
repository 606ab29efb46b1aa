// The calls. The browser's cookie says who is there.

export class ApiError extends Error {
  constructor(status, error) {
    super([error.message, error.hint].filter(Boolean).join(". "));
    this.status = status;
    this.code = error.code;
  }
}

export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, { code: "no_connection", message: "mybro does not answer" });
  }
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // an answer without a body says enough by its status
  }
  if (!answer.ok) {
    throw new ApiError(answer.status, told.error ?? { code: "failed", message: `it failed (${answer.status})` });
  }
  return told;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const say = (text) => post("/v1/chat/message", { text, wait_s: 0 });

export function socketUrl(path) {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
}
