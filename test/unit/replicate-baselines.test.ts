// Baselines on pipelines that can be worked out by hand; and a run, what it costs and how its time series is made.
import { describe, expect, it } from 'vitest'
import type { Plan } from '../../src/planner/plan.ts'
import { cgTune } from '../../src/replicate/baselines/cg-tune.ts'
import { ds2 } from '../../src/replicate/baselines/ds2.ts'
import { noTuner } from '../../src/replicate/baselines/no-tuner.ts'
import { ongoing } from '../../src/replicate/baselines/ongoing.ts'
import { type Control, type Controlled, liveRun } from '../../src/replicate/live-run.ts'
import { Trace } from '../../src/workload/trace.ts'
import { configurationOf, hardware, profileOf, stage } from './estimator-profiles.ts'
import { even } from './tuner-engine.ts'

/** Two stages, one after the other, of 10 and 20 ms a row: 100 and 50 rows a second. */
const profile = profileOf({ a: stage({ 1: 10 }), b: stage({ 1: 20 }) }, { edges: [['a', 'b']] })
const basis = { profile, hardware }

/** Planned for 40 requests a second, with one replica each. */
const plan = {
  objective: { latencyMs: 100, percentile: 99 },
  configuration: configurationOf({ a: {}, b: {} }),
  tuning: {
    envelope: [],
    stages: {
      a: { replicaRatePerS: 100, scaleFactor: 1, load: 0.4 },
      b: { replicaRatePerS: 50, scaleFactor: 1, load: 0.8 },
    },
  },
} as unknown as Plan

interface Step {
  readonly stage: string
  readonly atMs: number
  readonly paid: number
}

/** What a control makes of a trace: the outcome, and each change of the replicas that are paid for. */
function played(
  control: Control,
  { arrivalsMs, durationMs }: { arrivalsMs: readonly number[]; durationMs: number },
) {
  let engine: Controlled['engine'] | undefined
  const outcome = liveRun({
    basis,
    configuration: plan.configuration,
    trace: new Trace({ arrivalsMs, meta: { durationMs } }),
    latencyMs: 100,
    control: (given) => {
      engine = given.engine
      control(given)
    },
    activationMs: 5000,
    seed: 1,
    sampleEveryMs: 10_000,
  })
  const steps = (engine?.steps ?? []).filter(({ atMs }) => atMs > 0)
  return { outcome, steps: changesOf(steps) }
}

/** The moments at which the number paid for changes. */
function changesOf(steps: readonly Step[]): readonly string[] {
  const paid = new Map<string, number>([['a', 1], ['b', 1]]) // biome-ignore format: pairs
  return steps.flatMap((step) => {
    if (paid.get(step.stage) === step.paid) return []
    paid.set(step.stage, step.paid)
    return [`${step.atMs / 1000} s: ${step.stage} ${step.paid}`]
  })
}

const ofMinutes = (...rates: readonly number[]) => ({
  arrivalsMs: rates.flatMap((rate, at) => even(rate, at * 60_000, (at + 1) * 60_000)),
  durationMs: rates.length * 60_000,
})

describe('coarse-grained tuning', () => {
  it('adds as many boxes as the rate needs, and releases them after they were idle for two minutes', () => {
    const { steps } = played(
      cgTune({ plan, rate: 'mean', windowMs: 1000 }),
      ofMinutes(40, 120, 40, 40, 40),
    )
    expect(steps).toEqual(['61 s: a 3', '61 s: b 3', '241 s: a 1', '241 s: b 1'])
  })

  it('grows stages of a plan in proportion', () => {
    const tuned = cgTune({ plan, rate: 'mean', windowMs: 1000, unit: 'proportional' })
    const { steps } = played(tuned, ofMinutes(40, 120, 40, 40, 40))
    // 120 a second over 40 planned for: three times as many of each.
    expect(steps).toEqual(['61 s: a 3', '61 s: b 3', '241 s: a 1', '241 s: b 1'])
  })

  it('may go by the busiest stretch as long as the objective', () => {
    const burst = Array.from({ length: 10 }, (_, at) => 20_500 + at)
    const { steps } = played(cgTune({ plan, rate: 'peak' }), {
      arrivalsMs: burst,
      durationMs: 30_000,
    })
    // Ten in 100 ms are 100 a second: two boxes of 50.
    expect(steps).toEqual(['21 s: a 2', '21 s: b 2'])
  })
})

describe('DS2', () => {
  it('gives each stage what its rate needs at what a replica does while it is busy', () => {
    const { steps } = played(ds2({ plan }), ofMinutes(40, 90))
    // 90 a second over 100 a replica, and over 50: whatever waits.
    expect(steps).toEqual(['70 s: b 2'])
  })

  it('provides more where it is told to', () => {
    const { steps } = played(ds2({ plan, headroom: 2 }), ofMinutes(40))
    expect(steps).toEqual(['10 s: b 2'])
  })
})

describe('scaling on concurrency', () => {
  it('waits for half a minute before it adds', () => {
    const { steps } = played(ongoing(), ofMinutes(40, 70))
    // Of 70 a second 20 are left waiting, so that from the first look on more are wanted.
    expect(steps[0]).toMatch(/^100 s: b \d+$/)
  })

  it('waits for ten minutes before it removes', () => {
    const rates = Array.from({ length: 14 }, (_, minute) => (minute === 1 ? 70 : 5))
    const { steps } = played(ongoing(), ofMinutes(...rates))
    const up = steps.filter((each) => each.startsWith('100 s'))
    expect(up).toHaveLength(1)
    const down = steps.at(-1) ?? ''
    expect(down).toMatch(/: b 1$/)
    expect(Number.parseFloat(down)).toBeGreaterThan(100 + 600)
  })

  it('keeps to its most replicas', () => {
    const { steps } = played(ongoing({ maxReplicas: 3 }), ofMinutes(40, 200))
    expect(steps.filter((each) => each.includes('b'))).toEqual(['100 s: b 3'])
  })
})

describe('a run', () => {
  it('costs what its replicas cost for as long as they were there', () => {
    const twoMore: Control = ({ engine }) => {
      engine.time.every(30_000, () => void engine.scale('b', 3))
    }
    // Two replicas at 0.5 an hour for a minute, and two more for half of it.
    expect(played(noTuner, ofMinutes(40)).outcome.cost).toBeCloseTo((2 * 0.5) / 60, 12)
    expect(played(twoMore, ofMinutes(40)).outcome.cost).toBeCloseTo((3 * 0.5) / 60, 12)
  })

  it('has a point of its series for each window, whose rates and costs add up', () => {
    const { series } = played(noTuner, ofMinutes(40)).outcome
    expect(series.map(({ atMs }) => atMs)).toEqual([10, 20, 30, 40, 50, 60].map((s) => s * 1000))
    for (const { ratePerS, replicas, costPerHour, p99Ms, attainment } of series) {
      expect(ratePerS).toBeCloseTo(40, 0)
      expect({ replicas, attainment }).toEqual({ replicas: 2, attainment: 1 })
      expect(costPerHour).toBeCloseTo(1, 9)
      // Each takes 30 ms, and at 40 a second none waits: the least of the latencies asked for.
      expect(p99Ms).toBe(30)
    }
  })

  it('has late requests where nothing is added, and fewer where it is soon', () => {
    const alone = played(noTuner, ofMinutes(40, 70)).outcome
    const tuned = played(cgTune({ plan, rate: 'mean', windowMs: 1000 }), ofMinutes(40, 70)).outcome
    expect(alone.attainment).toBeLessThan(0.5)
    expect(tuned.attainment).toBeGreaterThan(0.85)
    expect(alone.requests).toBe(tuned.requests)
  })
})
