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
  return {
    ratePerS,
    windows: windows.map((window) => ({ ...window, demand: arrivalsIn(window, ratePerS) })),
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

// A trace that is shorter than the window has fewer than its mean rate would make.
function arrivalsIn(
  { windowMs, arrivals }: { readonly windowMs: number; readonly arrivals: number },
  ratePerS: number,
): Demand {
  const mean = Math.min(arrivals, (windowMs / 1000) * ratePerS)
  return { mean, spare: arrivals - mean }
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
