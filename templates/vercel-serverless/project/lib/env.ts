/** Settings by name; empty text counts as not set. */
export function setting(name: string, fallback = ""): string {
  return process.env[name] || fallback;
}
