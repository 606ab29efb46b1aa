/** An error that a caller may see: a stable code, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = "",
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}
