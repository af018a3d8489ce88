import { describe, expect, it } from 'vitest'
import { Simulator } from '../../src/estimator/simulator.ts'
import { Estimator, Planner, Trace, Tuner } from '../../src/index.ts'
import { SimulatedEngine } from '../../src/tuner/simulated-engine.ts'
import { profileOf, tier } from './estimator-profiles.ts'
import { twoTiers as hardware } from './planner-questions.ts'
import { errorOf } from './thrown.ts'

const configuration = { a: { replicas: 2 }, b: { replicas: 1 } }

/** An engine whose simulation writes down what is asked of it. */
function noted({ activationMs = 0, arrivalsMs = [10, 20, 30] } = {}) {
  const asked: string[] = []
  const run = {
    advance: (toMs: number) => asked.push(`to ${toMs}`),
    setReplicas: (stage: string, replicas: number) => asked.push(`${stage} ${replicas}`),
  }
  const engine = new SimulatedEngine({ run, arrivalsMs, configuration, activationMs })
  return { engine, asked }
}

describe('a simulated engine', () => {
  it('takes the simulation from arrival to arrival, and tells of each', () => {
    const { engine, asked } = noted()
    const watch = engine.watchArrivals(() => asked.push(`arrives at ${engine.time.now()}`))
    const ticks = engine.time.every(12, () => asked.push(`tick at ${engine.time.now()}`))
    engine.play({ untilMs: 40 })
    ticks.stop()
    watch.stop()
    const ticked = (atMs: number) => [`to ${atMs}`, `tick at ${atMs}`]
    const arrived = (atMs: number) => [`to ${atMs}`, `arrives at ${atMs}`]
    expect(asked).toEqual([
      ...arrived(10),
      ...ticked(12),
      ...arrived(20),
      ...ticked(24),
      ...arrived(30),
      ...ticked(36),
      'to 40',
    ])
  })

  it('has added replicas serve after the time that activation takes, and removed ones go at once', async () => {
    const { engine, asked } = noted({ activationMs: 15 })
    const changes: Record<number, readonly [string, number]> = {
      10: ['a', 5],
      20: ['a', 3],
      30: ['b', 0],
    }
    engine.watchArrivals(() => {
      const [stage, replicas] = changes[engine.time.now()] ?? []
      if (stage !== undefined && replicas !== undefined) void engine.scale(stage, replicas)
    })
    engine.play({ untilMs: 50 })
    expect(asked.filter((what) => !what.startsWith('to'))).toEqual(['a 3', 'b 0'])
    expect(engine.stats()).toEqual({ stages: { a: { replicas: 3 }, b: { replicas: 0 } } })
    const stepsOfA = engine.steps.filter(({ stage }) => stage === 'a')
    expect(stepsOfA).toEqual([
      { atMs: 0, stage: 'a', paid: 2, serving: 2 },
      { atMs: 10, stage: 'a', paid: 5, serving: 2 },
      { atMs: 20, stage: 'a', paid: 3, serving: 2 },
      { atMs: 25, stage: 'a', paid: 3, serving: 3 },
    ])
  })

  it('refuses an activation that takes no time at all, or less', () => {
    expect(errorOf(() => noted({ activationMs: -1 })).message).toMatch(/activationMs: expected/)
  })
})

describe('a simulation that is tuned', () => {
  const stage = tier({ 1: 10, 2: 16, 4: 28 })
  const profile = profileOf(
    {
      a: { scaleFactor: 1, tiers: { 'cpu-1': stage } },
      b: { scaleFactor: 1, tiers: { 'cpu-1': stage } },
    },
    { edges: [['a', 'b']] },
  )
  const objective = { latencyMs: 80 }

  async function spikeOf() {
    const ratePerS = 60
    const sample = Trace.gamma({ ratePerS, durationMs: 30_000, seed: 1 })
    const plan = await new Planner({ profile, hardware }).plan(sample, { objective })
    const points = (
      [
        [0, 1],
        [20, 1],
        [25, 4],
        [50, 4],
        [55, 1],
        [120, 1],
      ] as const
    ).map(([atS, level]) => ({ atMs: 1000 * atS, ratePerS: level * ratePerS }))
    return { plan, trace: Trace.ofRates({ points, seed: 2 }) }
  }

  it('meets the objective through a spike that its plan does not, and then costs what it did', async () => {
    const { plan, trace } = await spikeOf()
    const { configuration } = plan
    const untuned = await new Estimator({ profile, hardware }).estimate(configuration, {
      trace,
      objective,
    })
    expect(untuned.attainment).toBeLessThan(0.7)
    const { arrivalsMs } = trace
    const attained = ([0, 1000] as const).map((activationMs) => {
      const run = new Simulator({ profile, hardware, trace }).simulate(configuration)
      const engine = new SimulatedEngine({ run, arrivalsMs, configuration, activationMs })
      const tuner = new Tuner(engine, { plan, time: engine.time }).start()
      engine.play()
      run.advance(Number.POSITIVE_INFINITY)
      const { arrived, late } = run.stats(objective)
      const { a, b } = configuration
      expect(tuner.stats().replicas).toEqual({ a: a?.replicas, b: b?.replicas })
      void tuner.stop()
      return 1 - late / arrived
    })
    const [atOnce = 0, later = 0] = attained
    expect(atOnce).toBeGreaterThan(0.99)
    expect(later).toBeGreaterThan(0.9)
    expect(later).toBeLessThanOrEqual(atOnce)
  })

  it('goes the same way each time', async () => {
    const { plan, trace } = await spikeOf()
    const { configuration } = plan
    const steps = [1, 2].map(() => {
      const run = new Simulator({ profile, hardware, trace }).simulate(configuration)
      const { arrivalsMs } = trace
      const engine = new SimulatedEngine({ run, arrivalsMs, configuration, activationMs: 100 })
      const tuner = new Tuner(engine, { plan, time: engine.time }).start()
      engine.play()
      void tuner.stop()
      return [...engine.steps, run.stats(objective)]
    })
    expect(steps[0]).toEqual(steps[1])
  })
})
