import { LiveEngineView } from './live-engine-view.ts'
import { checkLiveOptions, type LiveOptions } from './live-options.ts'
import type { LiveSnapshot } from './live-snapshot.ts'

/** Milliseconds between readings while nobody watches: attainment over a minute needs some, and so do the first figures. */
const idleIntervalMs = 10_000
/** Milliseconds that recent rates and latencies are counted over, at least. */
const leastWindowMs = 5000

/** What watches a {@link LiveFeed}. */
export interface LiveWatcher {
  /** Called for each snapshot from now on; all watchers are given the same text. */
  readonly onSnapshot: (json: string) => void
  /** Called once, when there will be no more: all engines were closed, or the feed was. Never after `stop`. */
  readonly onEnd?: (() => void) | undefined
}

/**
 * Takes snapshots of engines, as often as `intervalMs` says while somebody watches, and now and then while nobody does. All
 * who watch share one timer and one text; memory is constant. It keeps no process alive, and ends with its engines; until
 * then it holds them.
 */
export class LiveFeed {
  readonly #views: readonly LiveEngineView[]
  readonly #intervalMs: number
  readonly #watchers = new Set<LiveWatcher>()
  #timer: NodeJS.Timeout | undefined
  #latest: LiveSnapshot
  #takenMs: number
  #hasEnded = false

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  constructor(options: LiveOptions) {
    const { engines, intervalMs } = checkLiveOptions(options)
    const windowMs = Math.max(leastWindowMs, 2 * intervalMs)
    this.#intervalMs = intervalMs
    this.#views = engines.map((engine) => new LiveEngineView({ ...engine, windowMs }))
    this.#latest = this.#compose()
    this.#takenMs = performance.now()
    this.#schedule()
  }

  /** True once all engines were closed, or this was. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Has somebody told of each snapshot; `json` of {@link latest} is what came before. */
  watch(watcher: LiveWatcher): { stop(): void } {
    if (this.#hasEnded) watcher.onEnd?.()
    else this.#watchers.add(watcher)
    if (this.#watchers.size === 1) this.#schedule()
    return {
      stop: () => {
        if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#schedule()
      },
    }
  }

  /** A snapshot of now, with the last minutes. Asked for often, it is taken no more often than others. */
  latest(): LiveSnapshot {
    const isOld = performance.now() - this.#takenMs >= this.#intervalMs / 2
    if (isOld && !this.#hasEnded) this.#take()
    const engines = this.#views.map(({ now, history }) => ({ ...now, history }))
    return { ...this.#latest, engines }
  }

  /** Ends what all who watch are told, and lets go of the engines' events. */
  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#timer)
    for (const view of this.#views) view.stop()
    for (const { onEnd } of [...this.#watchers]) onEnd?.()
    this.#watchers.clear()
  }

  #schedule(): void {
    clearInterval(this.#timer)
    if (this.#hasEnded) return
    const everyMs = this.#watchers.size > 0 ? this.#intervalMs : idleIntervalMs
    this.#timer = setInterval(() => this.#tick(), everyMs).unref()
  }

  #tick(): void {
    this.#take()
    if (this.#watchers.size > 0) {
      const json = JSON.stringify(this.#latest)
      for (const { onSnapshot } of [...this.#watchers]) onSnapshot(json)
    }
    if (this.#views.every(({ hasEnded }) => hasEnded)) this.close()
  }

  #take(): void {
    for (const view of this.#views) if (!view.hasEnded) view.read()
    this.#latest = this.#compose()
    this.#takenMs = performance.now()
  }

  #compose(): LiveSnapshot {
    const engines = this.#views.map(({ now }) => now)
    return { version: 1, atMs: Date.now(), intervalMs: this.#intervalMs, engines }
  }
}
