import type { Plan } from '../planner/plan.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Demand } from './demand.ts'

/** What a plan was made for, and what it gives to it. */
export interface PlannedDemand {
  /** Mean rate of the planned trace. */
  readonly ratePerS: number
  readonly windows: readonly PlannedWindow[]
  readonly stages: readonly PlannedStageDemand[]
  /** Of the stage that is least full, from 0 to 1. */
  readonly leastLoad: number
}

export interface PlannedWindow {
  readonly windowMs: number
  /** The most in any of that length. */
  readonly arrivals: number
  readonly demand: Demand
}

/** A stage that requests visit. */
export interface PlannedStageDemand {
  readonly name: string
  readonly replicas: number
  readonly replicaRatePerS: number
  readonly scaleFactor: number
  readonly load: number
  /** Replicas: as many as would be busy all the time, and those beyond. */
  readonly demand: Demand
  /** Threads of a replica that keep a core busy. */
  readonly cores: number
  /** Of a replica; 0 where prices are not known. */
  readonly pricePerHour: number
}

export function plannedDemand(plan: Plan, hardware: Hardware | undefined): PlannedDemand {
  const stages = Object.entries(plan.tuning.stages).flatMap(([name, stage]) => {
    const planned = plan.configuration[name]
    if (planned === undefined || stage.load <= 0) return []
    const { tier, replicas } = planned
    const busy = stage.load * replicas
    const demand = { mean: busy, spare: Math.max(0, replicas - busy) }
    return [{ name, replicas, ...stage, demand, ...slotOf(tier, hardware) }]
  })
  const rates = stages.map(({ load, replicas, replicaRatePerS, scaleFactor }) => {
    return (load * replicas * replicaRatePerS) / scaleFactor
  })
  // All of them say the same, but for rounding.
  const ratePerS = Math.max(0, ...rates)
  const windows = plan.tuning.envelope.toSorted((one, other) => one.windowMs - other.windowMs)
  const fluctuation = fluctuationOf(windows, ratePerS)
  return {
    ratePerS,
    windows: windows.map((window) => ({
      ...window,
      demand: arrivalsIn(window, { ratePerS, fluctuation }),
    })),
    stages,
    leastLoad: Math.min(...stages.map(({ load }) => load)),
  }
}

/** A window of the plan of any length, between those that it tells of. */
export function plannedWindow(
  { windows, ratePerS }: PlannedDemand,
  windowMs: number,
): PlannedWindow {
  const above = windows.find((one) => one.windowMs >= windowMs) ?? windows.at(-1)
  const below = windows.findLast((one) => one.windowMs <= windowMs) ?? above
  if (above === undefined || below === undefined) return { windowMs, arrivals: 0, demand: none }
  const share =
    above === below ? 0 : (windowMs - below.windowMs) / (above.windowMs - below.windowMs)
  const spare = below.demand.spare + share * (above.demand.spare - below.demand.spare)
  const mean = (windowMs / 1000) * ratePerS
  return { windowMs, arrivals: mean + spare, demand: { mean, spare } }
}

const none: Demand = { mean: 0, spare: 0 }

type Window = Omit<PlannedWindow, 'demand'>

/**
 * Short windows come often enough for the fullest of them to be as full as they get; long ones came a few times in the
 * trace, or once. These are given what those fluctuate by, since counts of renewal processes vary in proportion to the
 * window: so many times the root of the mean.
 */
function fluctuationOf(windows: readonly Window[], ratePerS: number): number {
  const told = windows
    .map(({ windowMs, arrivals }) => ({ windowMs, arrivals, mean: (windowMs / 1000) * ratePerS }))
    .filter(({ windowMs, mean }) => mean >= tellingArrivals && windowMs <= tellingWindowMs)
    .map(({ arrivals, mean }) => (arrivals - mean) / Math.sqrt(mean))
    .sort((one, other) => one - other)
  return told[Math.floor(told.length / 2)] ?? usualFluctuation
}

/** Of fewer arrivals the fullest window is mostly chance. */
const tellingArrivals = 4
const tellingWindowMs = 5000
/** The highest of some hundred windows of a Poisson process. */
const usualFluctuation = 3

function arrivalsIn(
  { windowMs, arrivals }: Window,
  { ratePerS, fluctuation }: { readonly ratePerS: number; readonly fluctuation: number },
): Demand {
  const mean = (windowMs / 1000) * ratePerS
  return { mean, spare: Math.max(0, arrivals - mean, fluctuation * Math.sqrt(mean)) }
}

function slotOf(
  tier: string,
  hardware: Hardware | undefined,
): { readonly cores: number; readonly pricePerHour: number } {
  const slot = hardware?.tiers[tier]
  if (slot === undefined)
    return { cores: Number(/^cpu-(\d+)$/.exec(tier)?.[1] ?? 0), pricePerHour: 0 }
  return { cores: slot.kind === 'cpu' ? (slot.threads ?? 1) : 0, pricePerHour: slot.pricePerHour }
}
