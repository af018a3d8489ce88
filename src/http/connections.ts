import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { Connection } from './connection.ts'
import type { EndableBody } from './endable-body.ts'

/**
 * Everyone who is being served, so that a client that hangs up is noticed, and that a server can be shut down without a
 * request lost: clients that keep their connection must be told to leave it, or they would send into a closed one.
 */
export class Connections {
  readonly #open = new Map<Socket, Connection>()
  readonly #bodies = new Set<EndableBody>()
  #leaving = false
  #whenEmpty: (() => void) | undefined

  /** Knows the connections of a server from the start, also those that never send a request. */
  watch(server: object): void {
    if (server instanceof TlsServer) server.on('secureConnection', (socket) => this.#adopt(socket))
    else if (server instanceof Server) server.on('connection', (socket) => this.#adopt(socket))
  }

  /** Whom a request came from. Called once for each request, first of all. */
  of(request: IncomingMessage, response: ServerResponse): Connection {
    const { socket } = request
    if (request.httpVersionMajor !== 1 || !(socket instanceof Socket)) {
      return Connection.alone(response)
    }
    const connection = this.#open.get(socket) ?? this.#adopt(socket)
    connection.answering(response, this.#leaving)
    return connection
  }

  /** Whether clients are being told to leave. */
  get leaving(): boolean {
    return this.#leaving
  }

  /** A body that has no end by itself ends when clients are told to leave. */
  streaming(body: EndableBody): () => void {
    this.#bodies.add(body)
    if (this.#leaving) body.end()
    return () => this.#bodies.delete(body)
  }

  /**
   * Tells every client to leave with its next answer, ends streams, and waits until all have left, for `longestMs` at most;
   * then closes the connections on which nobody waits for an answer. Requests that come meanwhile are served.
   */
  async leave(longestMs: number): Promise<void> {
    this.#leaving = true
    for (const connection of this.#open.values()) connection.sayGoodbye()
    for (const body of this.#bodies) body.end()
    await this.#emptyWithin(longestMs)
    for (const [socket, connection] of this.#open) {
      // What never sent a byte is a connection opened in advance; what sent some may be sending a request.
      if (connection.idle && (connection.used || socket.bytesRead === 0)) socket.destroySoon()
    }
  }

  /** Ends what is still open, answered or not. */
  destroy(): void {
    for (const socket of this.#open.keys()) socket.destroy()
  }

  #adopt(socket: Socket): Connection {
    const connection = new Connection(socket)
    this.#open.set(socket, connection)
    socket.once('close', () => {
      this.#open.delete(socket)
      connection.closed()
      if (this.#open.size === 0) this.#whenEmpty?.()
    })
    return connection
  }

  #emptyWithin(longestMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longestMs)
      this.#whenEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
