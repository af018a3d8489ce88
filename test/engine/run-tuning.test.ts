// What `millrace run --tune` does to an engine, under a time that the test sets.
import { describe, expect, it } from 'vitest'
import { type Tuning, type TuningTerms, tune } from '../../src/cli/tuning.ts'
import { formatTuning } from '../../src/cli/tuning-report.ts'
import { Engine, type TunerTime } from '../../src/index.ts'
import { hardware, profileOf, stage } from '../unit/estimator-profiles.ts'
import { errorOf } from '../unit/thrown.ts'
import { even } from '../unit/tuner-engine.ts'
import { planOf } from '../unit/tuner-plans.ts'
import { cascade, imagesOf, readDigits } from './pipelines.ts'

const request = imagesOf(readDigits().slice(0, 1))
const plan = {
  ...planOf({
    stages: {
      fast: { replicaRatePerS: 200, scaleFactor: 1, load: 0.5, replicas: 1 },
      accurate: { replicaRatePerS: 50, scaleFactor: 0.5, load: 0.5, replicas: 2 },
    },
  }),
  objective: { latencyMs: 100, percentile: 99 },
  costPerHour: 1.5,
}

/** In milliseconds. What is recorded are the times of this machine: as fast as it answers one request after the other. */
function profiledWith(fastMs: number) {
  const stages = {
    fast: stage({ 1: fastMs }),
    accurate: stage({ 1: fastMs }, { scaleFactor: 0.5 }),
  }
  return { profile: profileOf(stages, { edges: [['fast', 'accurate']] }), hardware }
}

type Until = (engine: Engine, tuning: Tuning) => boolean

function wasPlanned(engine: Engine): boolean {
  return engine.configuration['fast']?.maxBatch === 1
}

/** Three times the planned load for six seconds. */
async function tunedRun(
  terms: Partial<TuningTerms>,
  { fastMs = 0.05, until = wasPlanned }: { fastMs?: number; until?: Until } = {},
) {
  const profiled = profiledWith(fastMs)
  await using engine = await Engine.start(cascade, { configuration: plan.configuration })
  let nowMs = 0
  const time: TunerTime = { now: () => nowMs, every: () => ({ stop: () => {} }) }
  const all = { maxReplicas: 8, replan: true, ...terms }
  const tuning = tune(engine, { plan, basis: { hardware, profiled }, terms: all, time })
  tuning.start()
  for (const atMs of even(300, 0, 6000)) {
    nowMs = atMs
    await engine.infer(request)
  }
  if (all.replan) await expect.poll(() => until(engine, tuning), { timeout: 20_000 }).toBe(true)
  const report = await tuning.stop()
  return { report, configuration: { ...engine.configuration }, requests: engine.stats().requests }
}

describe('run --tune', () => {
  it('plans anew where a change lasts, within the limits, and says so', async () => {
    const { report, configuration, requests } = await tunedRun({ replanAfter: 2 })
    expect(report.plans).toHaveLength(1)
    const [next] = report.plans
    expect(configuration).toMatchObject(next?.configuration ?? {})
    expect(next).toMatchObject({ costPerHourBefore: 1.5 })
    for (const { replicas } of Object.values(next?.configuration ?? {})) {
      expect(replicas).toBeLessThanOrEqual(8)
    }
    expect(report).toMatchObject({ replans: true, errors: [], stats: { replans: 1 } })
    expect(requests).toMatchObject({ completed: 1800, failed: 0 })
    const text = formatTuning(report)
    expect(text).toMatch(/^Plans made anew: 1$/m)
    expect(text).toMatch(
      /^ {2}at [\d.]+ s: fast \d x cpu-1, batch 1; accurate .*\(1\.50\/h to [\d.]+\/h\)$/m,
    )
  })

  it('tells of a change that no plan within the limits serves, and goes on', async () => {
    const { report, configuration, requests } = await tunedRun(
      { replanAfter: 2 },
      { fastMs: 1000, until: (_, tuning) => tuning.stats().errors > 0 },
    )
    expect(report.plans).toEqual([])
    expect(report.errors[0]).toMatch(/^no configuration keeps 99 % of requests within 100 ms/)
    expect(formatTuning(report)).toMatch(/^ {2}failed: no configuration keeps/m)
    expect(configuration['fast']?.maxBatch).toBe(4)
    expect(requests).toMatchObject({ completed: 1800, failed: 0 })
  })

  it('changes replicas alone where it is told to', async () => {
    const { report, configuration } = await tunedRun({ replan: false, replanAfter: 2 })
    expect(report).toMatchObject({ plans: [], replans: false, stats: { replans: 0 } })
    expect(report.changes.length).toBeGreaterThan(0)
    expect(configuration['fast']?.maxBatch).toBe(4)
    expect(formatTuning(report)).not.toMatch(/Plans made anew/)
  })

  it('refuses a time to plan after without a profile to plan with', async () => {
    await using engine = await Engine.start(cascade, { configuration: plan.configuration })
    const terms = { replan: true, replanAfter: 2 }
    const given = { plan, basis: { hardware: undefined }, terms }
    expect(errorOf(() => tune(engine, given)).message).toMatch(
      /^--replan-after: expected a profile/,
    )
  })
})
