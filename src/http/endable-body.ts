type Chunk = string | Uint8Array

/**
 * The chunks of a body that may be ended from outside, in the middle of waiting for one: by the client that hangs up, and
 * by a server that shuts down, which would otherwise wait for an endless stream. What made the chunks is returned from.
 */
export class EndableBody implements AsyncIterableIterator<Chunk> {
  readonly #chunks: AsyncIterator<Chunk>
  #ended = false
  /** Settles the next() that is waiting, if one is. */
  #wake: (() => void) | undefined

  constructor(body: AsyncIterable<Chunk>) {
    this.#chunks = body[Symbol.asyncIterator]()
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve({ done: true, value: undefined })
      this.#chunks.next().then(
        (chunk) => {
          if (chunk.done) this.#ended = true
          resolve(chunk.done ? { done: true, value: undefined } : chunk)
        },
        (error: unknown) => {
          this.#ended = true
          reject(error)
        },
      )
    })
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** No chunk comes after this. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#wake?.()
    // Not awaited: a generator that waits for something returns once that has happened. Who listened has left.
    this.#chunks.return?.().then(undefined, () => {})
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
