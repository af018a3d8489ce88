import { once, setMaxListeners } from 'node:events'
import { constants } from 'node:os'

/** Milliseconds a command has, after Ctrl-C, to close what it opened. */
const graceMs = 5_000
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Where a command speaks: its result on stdout, all else on stderr. Turns Ctrl-C into an AbortSignal; the second one, or
 * five seconds, end the process at once. A reader that goes away (`| head`) ends the output and nothing else.
 */
export class Terminal {
  readonly #interruption = new AbortController()
  #exitCode: number | undefined

  constructor() {
    // As many as there are simulations side by side, and none of them is a leak.
    setMaxListeners(0, this.#interruption.signal)
    for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)
    for (const name of signals)
      process.on(name, () => this.#interrupt(128 + constants.signals[name]))
  }

  /** Aborted by Ctrl-C: whoever waits stops waiting, closes and returns. */
  get signal(): AbortSignal {
    return this.#interruption.signal
  }

  /** 128 and the signal's number, once there was one. */
  get interruptedCode(): number | undefined {
    return this.#exitCode
  }

  /** Whether somebody watches stderr. */
  get isWatched(): boolean {
    return process.stderr.isTTY === true
  }

  /** A part of the result, as lines on stdout. */
  print(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** The whole result, as one document on stdout. */
  printJson(value: unknown): void {
    this.print(JSON.stringify(value, undefined, 2))
  }

  /** Anything that is not the result, as lines on stderr. */
  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** Fulfils when all was handed to whoever reads. */
  async flush(): Promise<void> {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.writableLength > 0 && !stream.destroyed) await drained(stream)
    }
  }

  #interrupt(exitCode: number): void {
    if (this.#exitCode !== undefined) process.exit(exitCode)
    this.#exitCode = exitCode
    setTimeout(() => process.exit(exitCode), graceMs).unref()
    this.#interruption.abort()
  }
}

async function drained(stream: NodeJS.WriteStream): Promise<void> {
  const ended = new AbortController()
  const either = ['drain', 'close', 'error'].map((event) => {
    return once(stream, event, { signal: ended.signal }).catch(() => undefined)
  })
  await Promise.race(either)
  ended.abort()
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
