// A client that can be rude: it writes what it is told, when it is told, and leaves when it likes.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export class RawClient {
  readonly socket: Socket
  #text = ''

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.#text += chunk
    })
    socket.on('error', () => {})
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** All that came so far. */
  get received(): string {
    return this.#text
  }

  /** Whether the server closed the connection. */
  get closed(): boolean {
    return this.socket.closed || this.socket.readableEnded
  }

  write(text: string): void {
    this.socket.write(text)
  }

  /** The head of a request, and as much of its body as is given; `length` is what is announced. */
  post(
    path: string,
    { body = '{}', length = body.length }: { body?: string; length?: number } = {},
  ): void {
    this.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
    )
  }

  hangUp(): void {
    this.socket.destroy()
  }
}
