import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Plan } from '../../src/planner/plan.ts'
import { readConfiguration, readPlan, writePlan } from '../../src/planner/plan-file.ts'
import { rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-plan-'))
let files = 0

function fileOf(value: unknown): string {
  const path = join(folder, `${++files}.json`)
  writeFileSync(path, JSON.stringify(value))
  return path
}

const configuration = {
  fast: { tier: 'cpu-1', maxBatch: 8, replicas: 2 },
  accurate: { tier: 'k80', maxBatch: 1, replicas: 1, model: 'a/b.onnx', maxDelayMs: 1.5 },
}
const plan: Plan = {
  version: 1,
  pipeline: 'digits',
  objective: { latencyMs: 20, percentile: 99 },
  strategy: 'optimal',
  configuration,
  costPerHour: 0.767,
  estimate: {
    requests: 1000,
    p50Ms: 5,
    p95Ms: 9,
    p99Ms: 14.5,
    maxMs: 20,
    attainment: 1,
    costPerHour: 0.767,
    stages: { fast: { utilization: 0.5, meanBatch: 1.5, queueP99Ms: 3, visits: 1000 } },
    watts: 160,
    accuracy: 0.97,
  },
  tuning: {
    envelope: [{ windowMs: 7, arrivals: 4 }],
    stages: { fast: { replicaRatePerS: 800, scaleFactor: 1, load: 0.5 } },
  },
  reasons: { fast: 'one replica fewer misses the objective by 3 ms' },
  search: { candidates: 4000, ruledOut: { capacity: 3900 }, simulated: 12 },
}

describe('a plan', () => {
  it('is read back as it was written', async () => {
    const path = join(folder, 'plan.json')
    await writePlan(path, plan)
    expect(await readPlan(path)).toEqual(plan)
    expect(await readPlan(path, { pipeline: 'digits' })).toEqual(plan)
  })

  it('serves as a configuration', async () => {
    expect((await readConfiguration(fileOf(plan))).configuration).toEqual(configuration)
  })

  it('for another pipeline is refused', async () => {
    const path = fileOf(plan)
    const message =
      `${path}: pipeline: expected a plan for pipeline "page", got one for "digits"; ` +
      'give the plan of this pipeline, or plan anew with: millrace plan'
    expect((await rejectionOf(() => readPlan(path, { pipeline: 'page' }))).message).toBe(message)
    expect((await rejectionOf(() => readConfiguration(path, { pipeline: 'page' }))).message).toBe(
      message,
    )
  })

  it.each<[string, unknown, string]>([
    ['without a configuration', { version: 1 }, 'configuration: expected an object, got nothing'],
    ['without a stage', { version: 1, configuration: {} }, 'configuration: expected at least one'],
    [
      'with a stage without replicas',
      { version: 1, configuration: { fast: { ...configuration.fast, replicas: 0 } } },
      'configuration.fast.replicas: expected an integer at least 1, got the number 0',
    ],
    [
      'with an unknown key of a stage',
      { version: 1, configuration: { fast: { ...configuration.fast, batch: 1 } } },
      'configuration.fast: unknown key "batch"; there are: "tier", "maxBatch"',
    ],
    [
      'with an objective of 0',
      { ...plan, objective: { latencyMs: 0, percentile: 99 } },
      'objective.latencyMs: expected a number above 0, got the number 0',
    ],
    [
      'with an unknown strategy',
      { ...plan, strategy: 'best' },
      'strategy: expected one of "optimal", "inferline", "cg-mean", "cg-peak", got the string "best"',
    ],
    [
      'with half an estimate',
      { ...plan, estimate: { ...plan.estimate, p99Ms: undefined } },
      'estimate.p99Ms: expected a number at least 0, got nothing',
    ],
    ['of a newer Millrace', { ...plan, version: 3 }, 'it was written by a newer Millrace'],
  ])('%s is refused', async (_what, value, problem) => {
    const path = fileOf(value)
    const { code, message } = await rejectionOf(() => readPlan(path))
    expect(code).toBe('MILLRACE_INVALID_FILE')
    expect(message).toContain(`${path}: `)
    expect(message).toContain(problem)
  })
})

describe('a configuration alone', () => {
  it('is read for a simulation', async () => {
    const path = fileOf({ version: 1, configuration })
    expect(await readConfiguration(path, { pipeline: 'any' })).toEqual({
      version: 1,
      configuration,
    })
  })

  it('is no plan', async () => {
    const path = fileOf({ version: 1, pipeline: 'digits', configuration })
    expect((await rejectionOf(() => readPlan(path))).message).toBe(
      `${path}: objective: expected a whole plan, got one without it; ` +
        'a configuration alone can be simulated; have a plan written with: millrace plan',
    )
  })
})
