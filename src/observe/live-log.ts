import type { EngineEvents } from '../engine/events.ts'
import type { LiveEvent } from './live-snapshot.ts'
import type {
  LiveEngineSource,
  LivePlanSource,
  LiveTunerSource,
  Subscribable,
  TunerScale,
} from './live-source.ts'

const mostKept = 50
/** An overload that lasts is one event, not one a second that pushes all others out. */
const oneOverloadMs = 30_000
/** A change that a tuner asked for shows within this time, or it is somebody else's. */
const askedForMs = 60_000

export interface LiveLogOptions {
  readonly engine: LiveEngineSource
  readonly tuner?: LiveTunerSource | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: (() => number) | undefined
}

type Entry = Omit<LiveEvent, 'id' | 'atMs'>

interface Overload {
  readonly id: number
  readonly atMs: number
  /** Requests. */
  readonly refused: number
  readonly dropped: number
}

/** The last things that a tuner decided, and that were changed at an engine: so many of each, in constant memory. */
export class LiveLog {
  readonly #decisions: LiveEvent[] = []
  readonly #changes: LiveEvent[] = []
  /** By stage: the replicas that the tuner asked for, and when; the engine's own event of it would say it twice. */
  readonly #asked = new Map<string, { readonly replicas: number; readonly atMs: number }>()
  /** The last event of kind `shed`. */
  #overload: Overload | undefined
  readonly #clock: () => number
  readonly #ends: (() => void)[] = []
  #lastId = 0

  constructor({ engine, tuner, wallClock = Date.now }: LiveLogOptions) {
    this.#clock = wallClock
    this.#listenToEngine(engine)
    if (tuner !== undefined) this.#listenToTuner(tuner)
  }

  /** The newest first. */
  get events(): readonly LiveEvent[] {
    return [...this.#decisions, ...this.#changes].sort((one, other) => other.id - one.id)
  }

  /** Listens no more. */
  stop(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #listenToEngine(engine: LiveEngineSource): void {
    this.#listen(engine, {
      scale: (event: EngineEvents['scale']) => this.#scaled(event),
      swap: ({ stage, before, after }: EngineEvents['swap']) => {
        this.#change({ kind: 'swap', text: swapText(stage, { before, after }) })
      },
      apply: (event: EngineEvents['apply']) => {
        this.#change({ kind: 'apply', text: differences(event) })
      },
      fallback: ({ stage, before, after, reason }: EngineEvents['fallback']) => {
        this.#change({ kind: 'fallback', text: `${stage} ${before} to ${after}`, reason })
      },
      shed: (event: EngineEvents['shed']) => this.#shed(event),
      error: ({ message }: Error) => this.#change({ kind: 'error', text: message }),
    })
  }

  #listenToTuner(tuner: LiveTunerSource): void {
    this.#listen(tuner, {
      scale: (event: TunerScale) => this.#decided(event),
      replan: ({ after: { costPerHour: cost } }: { readonly after: LivePlanSource }) => {
        const text = 'another plan is served'
        this.#decide({
          kind: 'replan',
          text: cost === undefined ? text : `${text}: ${cost} an hour`,
        })
      },
      clock: ({ jumpMs }: { readonly jumpMs: number }) => {
        this.#decide({ kind: 'clock', text: `the clock jumped by ${Math.round(jumpMs)} ms` })
      },
      error: ({ message }: Error) => this.#decide({ kind: 'error', text: message }),
    })
  }

  #listen<Name extends string>(
    source: Subscribable<Name>,
    listeners: Readonly<Partial<Record<Name, (event: never) => void>>>,
  ): void {
    // What each is told follows from its name, which is more than the declaration of on() can say here.
    const all = Object.entries(listeners) as [Name, (event: unknown) => void][]
    for (const [name, listener] of all) source.on(name, listener)
    this.#ends.push(() => {
      for (const [name, listener] of all) source.off(name, listener)
    })
  }

  #decided({ direction, changes, reason }: TunerScale): void {
    const atMs = this.#clock()
    for (const { stage, after } of changes) this.#asked.set(stage, { replicas: after, atMs })
    const text = changes.map(({ stage, before, after }) => `${stage} ${before} to ${after}`)
    const all = text.join(', ')
    this.#decide({ kind: direction, text: all, reason: reason.replace(` -> ${all}`, '') })
  }

  #scaled({ stage, before, after }: EngineEvents['scale']): void {
    const asked = this.#asked.get(stage)
    const isTuners = asked?.replicas === after && this.#clock() - asked.atMs < askedForMs
    if (isTuners) this.#asked.delete(stage)
    else this.#change({ kind: 'scale', text: `${stage} ${before} to ${after}` })
  }

  #shed({ requests, stages }: EngineEvents['shed']): void {
    const atMs = this.#clock()
    const more = Object.values(stages).reduce<number>((sum, count) => sum + (count ?? 0), 0)
    const before = this.#endOverload(atMs)
    const dropped = more + (before?.dropped ?? 0)
    const refused = requests - more + (before?.refused ?? 0)
    const parts = [
      refused > 0 ? `${refused} requests refused` : '',
      dropped > 0 ? `${dropped} requests dropped by a stage` : '',
    ]
    this.#change({ kind: 'shed', text: parts.filter((part) => part !== '').join(', ') })
    this.#overload = { id: this.#lastId, atMs, refused, dropped }
  }

  /** Takes the event of an overload away that still goes on, for another to take its place. */
  #endOverload(atMs: number): Overload | undefined {
    const last = this.#overload
    if (last === undefined || atMs - last.atMs >= oneOverloadMs) return undefined
    const at = this.#changes.findIndex(({ id }) => id === last.id)
    if (at >= 0) this.#changes.splice(at, 1)
    return last
  }

  #decide(entry: Entry): void {
    this.#keep(this.#decisions, entry)
  }

  #change(entry: Entry): void {
    this.#keep(this.#changes, entry)
  }

  #keep(events: LiveEvent[], entry: Entry): void {
    events.push({ id: ++this.#lastId, atMs: this.#clock(), ...entry })
    if (events.length > mostKept) events.shift()
  }
}

/** The names of the files: where they lie does not matter here, and is not everybody's business. */
function swapText(
  stage: string,
  models: { readonly before: string; readonly after: string },
): string {
  const [before, after] = [models.before, models.after].map((path) => path.split(/[/\\]/).at(-1))
  return before === after ? `${stage}: ${after} anew` : `${stage}: ${after} in place of ${before}`
}

/** What another configuration changes, such as `fast: replicas 1 to 2, maxBatch 4 to 8`. */
function differences({ before, after }: EngineEvents['apply']): string {
  const changed = Object.entries(after).flatMap(([stage, now]) => {
    const was = before[stage] ?? now
    const keys = ['tier', 'maxBatch', 'replicas', 'maxDelayMs', 'model'] as const
    const parts = keys.filter((key) => was[key] !== now[key])
    const text = parts.map((key) => `${key} ${was[key] ?? 'other'} to ${now[key] ?? 'other'}`)
    return text.length === 0 ? [] : [`${stage}: ${text.join(', ')}`]
  })
  return changed.length === 0 ? 'the same configuration again' : changed.join('; ')
}
