import type { LiveFeed } from '../observe/live-feed.ts'

/** Milliseconds without a snapshot after which a comment is sent, so that nothing between here and the client hangs up. */
const heartbeatMs = 15_000
/** Milliseconds after which a browser that lost its connection tries again. */
const retryMs = 2000

/**
 * Snapshots as server-sent events, for one client. Each is made when the client is ready for it: one that is slow misses
 * snapshots, and what waits for it is never more than one.
 *
 *     retry: 2000                      once
 *     event: snapshot   data: {...}    the first with the last minutes
 *     : still here                     where nothing is sent for long
 *     event: end        data: {}       all engines were closed; the stream ends
 */
export class LiveEvents implements AsyncIterableIterator<string> {
  readonly #watch: { stop(): void }
  /** What the client is to be given next. */
  #next: string | undefined
  #isFirst = true
  /** The client waits for it. */
  #give: ((result: IteratorResult<string>) => void) | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #state: 'open' | 'ending' | 'done' = 'open'

  constructor(feed: LiveFeed) {
    this.#next = `retry: ${retryMs}\n\n${eventOf('snapshot', JSON.stringify(feed.latest()))}`
    this.#watch = feed.watch({
      onSnapshot: (json) => this.#offer(json),
      onEnd: () => this.#end(),
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<string>> {
    const ready = this.#take()
    if (ready !== undefined) return Promise.resolve({ done: false, value: ready })
    if (this.#state !== 'open') return this.return()
    return new Promise((resolve) => {
      this.#give = resolve
      this.#heartbeat = setTimeout(() => this.#answer(': still here\n\n'), heartbeatMs).unref()
    })
  }

  /** The client hung up; also what waits in {@link next} ends. */
  return(): Promise<IteratorResult<string>> {
    this.#state = 'done'
    this.#next = undefined
    this.#watch.stop()
    clearTimeout(this.#heartbeat)
    this.#give?.({ done: true, value: undefined })
    this.#give = undefined
    return Promise.resolve({ done: true, value: undefined })
  }

  #offer(json: string): void {
    const event = eventOf('snapshot', json)
    // The first holds the last minutes, which no later one does: it is not to be missed.
    if (this.#give === undefined) this.#next = this.#isFirst ? this.#next : event
    else this.#answer(event)
  }

  #end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#next = `${this.#next ?? ''}${eventOf('end', '{}')}`
    const ready = this.#give === undefined ? undefined : this.#take()
    if (ready !== undefined) this.#answer(ready)
  }

  #take(): string | undefined {
    const ready = this.#next
    this.#next = undefined
    if (ready !== undefined) this.#isFirst = false
    return ready
  }

  #answer(value: string): void {
    clearTimeout(this.#heartbeat)
    const give = this.#give
    this.#give = undefined
    give?.({ done: false, value })
  }
}

/** JSON has no line breaks, so it is one line of data. */
function eventOf(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
