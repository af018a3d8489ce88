// The connection to the server: snapshots as they come, taken up again when it is lost, and let go of while nobody looks.
import type { LiveSnapshot } from '../../observe/live-snapshot.ts'

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'ended' | 'paused' | 'mismatch'

export interface ConnectionListener {
  onSnapshot(snapshot: LiveSnapshot): void
  onState(state: ConnectionState): void
}

const firstRetryMs = 1000
const longestRetryMs = 8000
/** Milliseconds beyond three snapshots without any after which a connection is taken for dead. */
const patienceMs = 5000

export class Connection {
  readonly #listener: ConnectionListener
  #source: EventSource | undefined
  #retryMs = firstRetryMs
  #retry: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined

  constructor(listener: ConnectionListener) {
    this.#listener = listener
    document.addEventListener('visibilitychange', () => this.#follow())
    // A page that is put away is not to come back with a connection that has died meanwhile.
    addEventListener('pagehide', () => this.#drop())
    addEventListener('pageshow', () => this.#follow())
    this.#follow()
  }

  #follow(): void {
    if (document.hidden) {
      this.#drop()
      this.#listener.onState('paused')
    } else if (this.#source === undefined) {
      this.#listener.onState('connecting')
      this.#open()
    }
  }

  #open(): void {
    this.#drop()
    // Relative: it works below whatever the page is mounted at.
    const source = new EventSource('events')
    this.#source = source
    source.addEventListener('snapshot', ({ data }) => this.#take(data as string))
    source.addEventListener('end', () => this.#lose('ended'))
    source.addEventListener('error', () => this.#lose('lost'))
  }

  #take(data: string): void {
    const snapshot = JSON.parse(data) as LiveSnapshot
    if (snapshot.version !== 1) {
      // Another release is served than the one this page came from: loading it again helps.
      this.#lose('mismatch')
      return
    }
    this.#retryMs = firstRetryMs
    this.#listener.onState('live')
    this.#listener.onSnapshot(snapshot)
    clearTimeout(this.#watchdog)
    const longestMs = 3 * snapshot.intervalMs + patienceMs
    this.#watchdog = setTimeout(() => this.#lose('lost'), longestMs)
  }

  #lose(state: 'lost' | 'ended' | 'mismatch'): void {
    this.#drop()
    this.#listener.onState(state)
    if (state === 'mismatch') return
    this.#retry = setTimeout(() => this.#open(), this.#retryMs)
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2)
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watchdog)
    this.#source?.close()
    this.#source = undefined
  }
}
