import {
  allowedArrivals,
  levelOfReplicas,
  neededLevel,
  replicasAt,
  replicasAtRate,
} from './needed-level.ts'
import { type PlannedDemand, type PlannedWindow, plannedWindow } from './planned-demand.ts'
import type { TunerRules } from './tuner-options.ts'
import { withinLimits } from './within-limits.ts'

/** What a tuner sees when it decides. */
export interface TunerState {
  readonly nowMs: number
  /** Replicas that each stage has, or soon will have. */
  readonly replicas: ReadonlyMap<string, number>
  /** Arrivals in each window of the plan that ends now, shortest first. */
  readonly arrivals: readonly number[]
  /** The most that each of those windows held in the last `historyMs`. */
  readonly recentArrivals: readonly number[]
  /** The highest rate of windows of `rateWindowMs` in the last `historyMs`. */
  readonly recentRatePerS: number
  /** When replicas were changed last, or the tuner was started. */
  readonly changedMs: number
  /** Milliseconds after that in which none may go. */
  readonly quietMs: number
}

/** What a tuner goes by. */
export interface TunerBasis {
  readonly demand: PlannedDemand
  readonly rules: TunerRules
}

/** Replicas that a stage has, and those it is to have. */
export interface ReplicaChange {
  /** Name of the stage. */
  readonly stage: string
  /** How many replicas it has, or soon would have had. */
  readonly before: number
  /** How many replicas it is to have. */
  readonly after: number
}

/** What to do, and why. */
export interface Decision {
  readonly direction: 'up' | 'down'
  /** The stages that are furthest from what they need come first. */
  readonly changes: readonly ReplicaChange[]
  /** Such as `window 0.32 s: 214/s over 150/s planned -> accurate 2 to 3`. */
  readonly reason: string
}

/**
 * Compares traffic with the plan (InferLine, section 5): replicas are added at once where a window is fuller than planned,
 * and go when it was quiet for long enough. Nothing but its arguments decides.
 *
 * @returns Undefined where all may stay as it is.
 */
export function decide(state: TunerState, basis: TunerBasis): Decision | undefined {
  if (basis.demand.stages.length === 0) return undefined
  return scaleUp(state, basis) ?? scaleDown(state, basis)
}

/**
 * How many arrivals of each window ask for no decision: none fewer lead to a change. Infinity where the window is fuller than
 * that already, so that only time can change what was decided.
 */
export function arrivalLimits(state: TunerState, { demand, rules }: TunerBasis): readonly number[] {
  const allowed = allowedNow(state, { demand, rules })
  return demand.windows.map((_, at) => {
    const limit = Math.floor(allowed[at] as number)
    return (state.arrivals[at] ?? 0) > limit ? Number.POSITIVE_INFINITY : limit
  })
}

/** The level of traffic that the arrivals tell of; 1 is that of the plan. */
export function presentLevel(state: TunerState, { demand, rules }: TunerBasis): number {
  const levels = demand.windows.map((window, at) =>
    levelOfWindow(at, { window, state, demand, rules }),
  )
  return Math.max(0, ...levels)
}

function scaleUp(state: TunerState, { demand, rules }: TunerBasis): Decision | undefined {
  const worst = worstWindow(state, { demand, rules })
  if (worst === undefined) return undefined
  const { level, text } = worst
  const { ratePerS, stages } = demand
  const wanted = new Map(
    stages.map((stage) => [stage.name, replicasAt(stage, { level, ratePerS, rules })]),
  )
  const present = presentOf(state)
  const { replicas, bound } = withinLimits(wanted, { present, stages, limits: rules.limits })
  const changes = changesTo((name) => replicas.get(name) ?? 0, { state, demand })
  if (changes.length === 0) return undefined
  const limit = bound === undefined ? '' : `, limited by ${bound}`
  return { direction: 'up', changes, reason: `${text} -> ${describe(changes)}${limit}` }
}

/** Of the windows that hold more than the replicas are good for, the one that asks for most. */
function worstWindow(
  state: TunerState,
  { demand, rules }: TunerBasis,
): { readonly level: number; readonly text: string } | undefined {
  const allowed = allowedNow(state, { demand, rules })
  let worst: { readonly level: number; readonly text: string } | undefined
  for (const [at, window] of demand.windows.entries()) {
    const arrivals = state.arrivals[at] ?? 0
    if (arrivals <= (allowed[at] as number)) continue
    const needed = levelOfWindow(at, { window, state, demand, rules })
    // What the plan was made for, its replicas can bear, however few there are now.
    const level = isPlanned(window, { arrivals, rules }) ? Math.min(1, needed) : needed
    if (worst !== undefined && level <= worst.level) continue
    const { windowMs } = window
    const planned = `${rateText(window.arrivals, windowMs)} planned`
    const over = isPlanned(window, { arrivals, rules })
      ? `what ${describeNow(state)} can take, of ${planned}`
      : planned
    const text = `window ${secondsText(windowMs)}: ${rateText(arrivals, windowMs)} over ${over}`
    worst = { level, text }
  }
  return worst
}

function scaleDown(state: TunerState, { demand, rules }: TunerBasis): Decision | undefined {
  const { nowMs, changedMs, quietMs, recentRatePerS } = state
  if (nowMs - changedMs < quietMs) return undefined
  const { ratePerS, leastLoad, stages } = demand
  const level = levelBelow(state, { demand, rules })
  const after = new Map(
    stages.map((stage) => {
      const atLevel = replicasAt(stage, { level, ratePerS, rules })
      const published = replicasAtRate(stage, { ratePerS: recentRatePerS, leastLoad })
      const wanted = rules.method === 'level' ? atLevel : Math.max(atLevel, published)
      const kept = Math.max(rules.limits.minReplicas, wanted)
      return [stage.name, Math.min(kept, presentOf(state)(stage.name))]
    }),
  )
  const changes = changesTo((name) => after.get(name) ?? 0, { state, demand })
  if (changes.length === 0) return undefined
  const highest = `${rounded(recentRatePerS)}/s at most over ${secondsText(rules.rateWindowMs)}`
  const history = `in the last ${secondsText(rules.historyMs)}`
  const reason = `${highest} ${history}, ${rounded(ratePerS)}/s planned -> ${describe(changes)}`
  return { direction: 'down', changes, reason }
}

/** The level to go down to, at the least: what would be asked for at once is not taken away. */
function levelBelow(state: TunerState, { demand, rules }: TunerBasis): number {
  const recent = (window: PlannedWindow, arrivals: number): number => {
    const level = neededLevel(window, { arrivals, ratePerS: demand.ratePerS, rules })
    return isPlanned(window, { arrivals, rules }) ? Math.min(1, level) : level
  }
  const now = demand.windows.map((window, at) => {
    const arrivals = state.arrivals[at] ?? 0
    if (rules.method === 'inferline') {
      return isPlanned(window, { arrivals, rules }) ? 0 : recent(window, arrivals)
    }
    const isShort = window.windowMs <= rules.rateWindowMs
    if (isShort) return recent(window, state.recentArrivals[at] ?? 0)
    return Math.min(recent(window, arrivals), levelOfWindow(at, { window, state, demand, rules }))
  })
  if (rules.method === 'inferline') return Math.max(0, ...now)
  const window = plannedWindow(demand, rules.rateWindowMs)
  const arrivals = (state.recentRatePerS * rules.rateWindowMs) / 1000
  return Math.max(recent(window, arrivals), ...now)
}

function levelOfWindow(
  at: number,
  given: { readonly window: PlannedWindow; readonly state: TunerState } & TunerBasis,
): number {
  const { window, state, demand, rules } = given
  const { ratePerS } = demand
  const level = neededLevel(window, { arrivals: state.arrivals[at] ?? 0, ratePerS, rules })
  const isMemory = rules.method === 'level' && window.windowMs > rules.historyMs
  // It still holds what is long over; the latest rates say whether it goes on.
  return isMemory ? Math.min(level, state.recentRatePerS / ratePerS) : level
}

function isPlanned(
  window: PlannedWindow,
  { arrivals, rules }: { readonly arrivals: number; readonly rules: TunerRules },
): boolean {
  const { mean, spare } = window.demand
  const planned = rules.method === 'level' ? mean + spare : window.arrivals
  return arrivals <= planned + rules.tolerance * Math.sqrt(planned)
}

function allowedNow(state: TunerState, { demand, rules }: TunerBasis): readonly number[] {
  const { ratePerS, stages, windows } = demand
  const level = levelOfReplicas(presentOf(state), { stages, rules })
  return windows.map((window) => allowedArrivals(window, { level, ratePerS, rules }))
}

function presentOf({ replicas }: TunerState): (stage: string) => number {
  return (stage) => replicas.get(stage) ?? 0
}

function changesTo(
  replicasOf: (stage: string) => number,
  { state, demand }: { readonly state: TunerState; readonly demand: PlannedDemand },
): readonly ReplicaChange[] {
  return demand.stages
    .map(({ name }) => {
      return { stage: name, before: presentOf(state)(name), after: replicasOf(name) }
    })
    .filter(({ before, after }) => before !== after)
    .sort((one, other) => other.after / other.before - one.after / one.before)
}

function describe(changes: readonly ReplicaChange[]): string {
  return changes.map(({ stage, before, after }) => `${stage} ${before} to ${after}`).join(', ')
}

function describeNow({ replicas }: TunerState): string {
  return [...replicas].map(([stage, count]) => `${count} ${stage}`).join(', ')
}

function rateText(arrivals: number, windowMs: number): string {
  return `${rounded((1000 * arrivals) / windowMs)}/s`
}

function secondsText(durationMs: number): string {
  return `${Number((durationMs / 1000).toPrecision(3))} s`
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
