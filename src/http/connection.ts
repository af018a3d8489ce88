import type { IncomingMessage, ServerResponse } from 'node:http'

/** The part of a socket that matters here. */
interface Closable {
  readonly destroyed?: boolean
  end(): void
}

/**
 * Whom a request came from. With HTTP/1 it is the socket, which serves one request after the other, so that nothing is
 * made for a request but for the first of them; otherwise it is the request alone.
 */
export class Connection {
  /** To the latest request; undefined before the first. */
  #response: ServerResponse | undefined
  #gone: AbortController | undefined
  readonly #socket: Closable | undefined

  /** `socket` where the connection is one; without it, {@link alone}. */
  constructor(socket: Closable | undefined) {
    this.#socket = socket
  }

  /** Of a request that shares its socket with others, or has none: HTTP/2, and requests that are injected. */
  static alone(response: ServerResponse): Connection {
    const connection = new Connection(undefined)
    connection.#response = response
    return connection
  }

  /** Another request came. */
  answering(response: ServerResponse, leaving: boolean): void {
    const before = this.#response
    this.#response = response
    if (!leaving) return
    // Pipelined: the last of them says goodbye.
    if (before !== undefined && !before.headersSent) before.removeHeader('connection')
    this.sayGoodbye()
  }

  /**
   * Aborted when the client is gone; made when it is first asked for. It lives as long as the connection: whoever listens
   * for one request must stop listening when that is over.
   */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController()
      if (this.#socket === undefined) this.#watchResponse()
      else if (this.#socket.destroyed) this.closed()
    }
    return this.#gone.signal
  }

  /** The client is gone. */
  closed(): void {
    this.#gone?.abort(new Error('the client hung up'))
  }

  /** Whether it ever sent a request. */
  get used(): boolean {
    return this.#response !== undefined
  }

  /** Nobody waits for an answer. */
  get idle(): boolean {
    return this.#response === undefined || this.#response.writableFinished
  }

  /** Has the client leave after its answer, so that it sends no request into a closing socket. */
  sayGoodbye(): void {
    const response = this.#response
    if (response === undefined || response.writableFinished) return
    if (!response.headersSent) response.setHeader('connection', 'close')
    else response.once('finish', () => this.#socket?.end())
  }

  #watchResponse(): void {
    const response = this.#response as ServerResponse
    const look = (): void => {
      if (!response.writableEnded) this.closed()
    }
    if (response.destroyed) look()
    else response.once('close', look)
  }
}

/** The signal of one request alone, for whoever may go on listening when it is answered. */
export function signalOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  const look = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client hung up'))
  }
  if (response.destroyed || request.socket.destroyed) look()
  else response.once('close', look)
  return gone.signal
}
