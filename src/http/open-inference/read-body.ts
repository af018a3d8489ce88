import type { Readable } from 'node:stream'
import { badRequest, ProtocolError } from './protocol-error.ts'

/** Takes the body of a request as it comes. */
export interface BodySink {
  /** Takes the next bytes, which it may keep. True: that was work, and others should have a turn. */
  write(chunk: Uint8Array): boolean
}

export interface BodyLimits {
  readonly maxBytes: number
  /** Milliseconds from now until all of it must be there. */
  readonly timeoutMs: number
}

const closing = { connection: 'close' } as const

/** Fulfils when the sink has all of the body. @throws {ProtocolError} 400, 408, 413, or what the sink throws */
export function readBody(body: Readable, sink: BodySink, limits: BodyLimits): Promise<void> {
  if (body.readableEnded) return Promise.resolve()
  if (body.destroyed) return Promise.reject(endedEarly())
  return new Promise((resolve, reject) => new BodyReading(body, sink, limits).run(resolve, reject))
}

class BodyReading {
  readonly #body: Readable
  readonly #sink: BodySink
  readonly #limits: BodyLimits
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(body: Readable, sink: BodySink, limits: BodyLimits) {
    this.#body = body
    this.#sink = sink
    this.#limits = limits
  }

  run(resolve: () => void, reject: (error: unknown) => void): void {
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(this.#late, this.#limits.timeoutMs)
    this.#body.on('data', this.#take)
    this.#body.on('end', this.#end)
    this.#body.on('error', this.#broken)
    this.#body.on('close', this.#broken)
  }

  readonly #take = (chunk: Uint8Array): void => {
    const { maxBytes } = this.#limits
    this.#bytes += chunk.length
    try {
      if (this.#bytes > maxBytes) throw tooLarge(maxBytes)
      if (this.#sink.write(chunk)) this.#rest()
    } catch (error) {
      this.#fail(error)
    }
  }

  #rest(): void {
    this.#body.pause()
    setImmediate(() => this.#body.resume())
  }

  readonly #end = (): void => {
    this.#detach()
    this.#resolve()
  }

  readonly #broken = (error?: NodeJS.ErrnoException): void => {
    this.#fail(error?.code === 'Z_DATA_ERROR' ? miscoded(error) : endedEarly())
  }

  readonly #late = (): void => {
    const { timeoutMs } = this.#limits
    const problem = `the body did not arrive within ${timeoutMs} ms, ${this.#bytes} bytes did`
    this.#fail(
      new ProtocolError(408, `${problem}; send it faster, or in smaller requests`, closing),
    )
  }

  #fail(error: unknown): void {
    this.#detach()
    // What still comes is for the adapter to drop.
    this.#body.pause()
    this.#body.on('error', ignore)
    this.#reject(error)
  }

  #detach(): void {
    clearTimeout(this.#timer)
    this.#body.off('data', this.#take)
    this.#body.off('end', this.#end)
    this.#body.off('error', this.#broken)
    this.#body.off('close', this.#broken)
  }
}

export function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError(
    413,
    `the body has more than the ${maxBytes} bytes taken here (maxBodyBytes); send fewer rows at once`,
    closing,
  )
}

function endedEarly(): ProtocolError {
  return badRequest('the body ended before all of it was there; send it again')
}

function miscoded({ message }: Error): ProtocolError {
  return badRequest(`the body is not in its content-encoding: ${message}; compress it again`)
}

function ignore(): void {}
