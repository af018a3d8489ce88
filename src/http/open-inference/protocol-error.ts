/** Ends a request with this status and message; never leaves the handler. */
export class ProtocolError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(status: number, message: string, headers?: Readonly<Record<string, string>>) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** What the client sent is wrong. */
export function badRequest(message: string): ProtocolError {
  return new ProtocolError(400, message)
}
