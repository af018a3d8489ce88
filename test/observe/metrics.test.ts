import { Counter, Registry, register } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import { metricDefinitions } from '../../src/observe/metric-definitions.ts'
import { newRegistry } from '../../src/observe/metric-registry.ts'
import { observeMetrics } from '../../src/observe/observe-metrics.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import { digitsModel, imagesOf, modelFile, readDigits } from '../engine/pipelines.ts'
import { errorOf } from '../unit/thrown.ts'
import { readExposition, seriesValue } from './exposition.ts'

const image = { inputs: { image: 'request.image' } } as const

const digits = definePipeline({
  name: 'digits',
  objective: { latencyMs: 60_000, percentile: 99 },
  stages: {
    fast: onnx(digitsModel('fast'), { ...image, cache: { maxBytes: 1_000_000 } }),
    accurate: onnx(digitsModel('accurate'), {
      ...image,
      when: { output: 'fast.confidence', below: 0.8 },
    }),
  },
  outputs: { label: ['accurate.label', 'fast.label'] },
})

const plain = definePipeline({
  name: 'plain',
  stages: { same: onnx(modelFile('identity-float32'), { inputs: { x: 'request.x' } }) },
  outputs: { y: 'same.y' },
})
const x = new Float32Array(4)

const engines: Engine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

async function startDigits() {
  const engine = await Engine.start(digits, { configuration: { fast: { replicas: 2 } } })
  engines.push(engine as unknown as Engine)
  return engine
}

async function startPlain() {
  const engine = await Engine.start(plain, { configuration: { same: { replicas: 1 } } })
  engines.push(engine as unknown as Engine)
  return engine
}

const read = async (registry: { metrics(): Promise<string> }) =>
  readExposition(await registry.metrics())

describe('metrics of an engine', () => {
  it('are those of the table, in the text format', async () => {
    const engine = await startDigits()
    const { registry } = observeMetrics(engine)
    await engine.infer(imagesOf(readDigits()))
    const families = await read(registry)
    expect([...families].map(([name, { type, help }]) => ({ name, type, help }))).toEqual(
      metricDefinitions.map(({ name, type, help }) => ({ name: `millrace_${name}`, type, help })),
    )
    for (const { name, labels } of metricDefinitions) {
      const { series = [] } = families.get(`millrace_${name}`) ?? {}
      expect(series.length, name).toBeGreaterThan(0)
      for (const one of series) {
        const { le: _, ...rest } = one.labels
        expect(Object.keys(rest).toSorted(), name).toEqual(['pipeline', ...labels].toSorted())
        expect(rest['pipeline']).toBe('digits')
      }
    }
  })

  it('say what the core has counted', async () => {
    const engine = await startDigits()
    const { registry } = observeMetrics(engine)
    await engine.inferMany(readDigits().map((digit) => imagesOf([digit])))
    await expect(engine.infer(imagesOf(readDigits()), { deadlineMs: 0 })).rejects.toThrow()
    const families = await read(registry)
    const stats = engine.stats()
    const value = (name: string, labels = {}) => seriesValue(families, [`millrace_${name}`, labels])
    expect(value('requests_total', { outcome: 'completed', reason: 'answered' })).toBe(240)
    expect(value('requests_total', { outcome: 'expired', reason: 'deadline' })).toBe(1)
    expect(value('requests_total', { outcome: 'refused', reason: 'shed' })).toBe(0)
    expect(value('objective_requests_total')).toBe(241)
    expect(value('objective_met_total')).toBe(240)
    expect(value('objective_latency_seconds')).toBe(60)
    expect(value('objective_ratio')).toBe(0.99)
    for (const window of ['1m', '30m']) {
      expect(value('attainment_ratio', { window })).toBe(240 / 241)
      expect(value('error_budget_burn_rate', { window })).toBeCloseTo(100 / 241, 9)
    }
    expect(value('request_duration_seconds_count')).toBe(240)
    expect(value('request_duration_seconds_bucket', { le: '60' })).toBe(240)
    expect(value('request_duration_seconds_sum')).toBeCloseTo(
      (stats.latencyMs.mean * 240) / 1000,
      9,
    )
    expect(value('pending_requests')).toBe(0)
    expect(value('pending_rows')).toBe(0)
    for (const stage of ['fast', 'accurate'] as const) {
      const { rows, batches, busyMs, replicas } = stats.stages[stage]
      expect(value('stage_rows_total', { stage, outcome: 'completed' })).toBe(rows)
      expect(value('stage_batch_rows_sum', { stage })).toBe(rows)
      expect(value('stage_batch_rows_count', { stage })).toBe(batches)
      expect(value('stage_service_seconds_count', { stage })).toBe(batches)
      expect(value('stage_queue_seconds_count', { stage })).toBe(rows)
      expect(value('stage_waiting_rows', { stage })).toBe(0)
      expect(value('stage_replicas', { stage })).toBe(replicas)
      expect(value('stage_busy_seconds_total', { stage })).toBeLessThanOrEqual(busyMs / 1000)
    }
    const { cache } = stats.stages.fast
    expect(value('stage_cache_rows_total', { result: 'missed' })).toBe(cache?.missedRows)
  })

  it('have no promise to show where the pipeline makes none, and no window without requests', async () => {
    const promised = await read(observeMetrics(await startDigits()).registry)
    expect(promised.get('millrace_attainment_ratio')?.series).toEqual([])
    expect(promised.get('millrace_objective_met_total')?.series).toHaveLength(1)
    const engine = await startPlain()
    const families = await read(observeMetrics(engine).registry)
    for (const [name, { series }] of families) {
      if (/objective|attainment|burn/.test(name)) expect(series, name).toEqual([])
    }
    const { series = [] } = families.get('millrace_request_duration_seconds') ?? {}
    expect(series.flatMap(({ labels }) => labels['le'] ?? [])).toContain('0.001')
  })

  it('follow replicas, their cost and whether any serves', async () => {
    const engine = await startPlain()
    const hardware = { tiers: { 'cpu-1': { pricePerHour: 0.5 } } }
    const { registry } = observeMetrics(engine, { hardware })
    const now = async (name: string) => seriesValue(await read(registry), [`millrace_${name}`, {}])
    await engine.scale('same', 3)
    expect([await now('stage_replicas'), await now('cost_per_hour')]).toEqual([3, 1.5])
    expect(await now('ready')).toBe(1)
    await engine.scale('same', 0)
    expect([await now('ready'), await now('cost_per_hour')]).toEqual([0, 0])
    const waiting = engine.infer({ x })
    expect([await now('stage_waiting_rows'), await now('pending_requests')]).toEqual([1, 1])
    await engine.scale('same', 1)
    await waiting
    expect([await now('stage_waiting_rows'), await now('pending_requests')]).toEqual([0, 0])
  })

  it('cost what the shipped prices say, and nothing is said of a tier without a price', async () => {
    const engine = await startPlain()
    const { registry } = observeMetrics(engine)
    const price = async () => seriesValue(await read(registry), ['millrace_cost_per_hour', {}])
    expect(await price()).toBe(0.0665)
    await engine.apply({ same: { tier: 'cpu-3' } })
    expect(await price()).toBeUndefined()
  })

  it('never fall, whatever becomes of replicas', async () => {
    const engine = await startPlain()
    const { registry } = observeMetrics(engine)
    const counters = async () =>
      [...(await read(registry)).values()]
        .filter(({ type }) => type !== 'gauge')
        .flatMap(({ series }) => series)
    let before = await counters()
    for (const replicas of [3, 0, 1, 2, 1]) {
      await engine.scale('same', replicas)
      if (replicas > 0) await engine.inferMany(Array.from({ length: 20 }, () => ({ x })))
      const after = await counters()
      expect(after).toHaveLength(before.length)
      after.forEach(({ name, value }, index) => {
        expect(value, name).toBeGreaterThanOrEqual(before[index]?.value ?? Number.NaN)
      })
      before = after
    }
    ;(registry as Registry).resetMetrics()
    expect(await counters()).toEqual(before)
  })
})

describe('the registry of metrics', () => {
  it('is a new one, never the global one', async () => {
    const engine = await startPlain()
    const { registry } = observeMetrics(engine)
    expect(registry).toBeInstanceOf(Registry)
    expect(registry).not.toBe(register)
    expect(register.getMetricsAsArray()).toEqual([])
  })

  it('is the one that is given, whose own metrics and labels stay', async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ host: 'a' })
    const own = new Counter({ name: 'own_total', help: 'The host', registers: [registry] })
    own.inc(7)
    const metrics = observeMetrics(await startPlain(), { registry, labels: { team: 'vision' } })
    expect(metrics.registry).toBe(registry)
    const families = await read(registry)
    expect(seriesValue(families, ['own_total', { host: 'a' }])).toBe(7)
    const labels = { host: 'a', team: 'vision', pipeline: 'plain' }
    expect(seriesValue(families, ['millrace_ready', labels])).toBe(1)
    metrics.stop()
    expect([...(await read(registry)).keys()]).toEqual(['own_total'])
  })

  it('shows several engines, each by its name', async () => {
    const registry = new Registry()
    const [one, two, three] = [await startPlain(), await startPlain(), await startDigits()]
    observeMetrics(one, { registry })
    const error = errorOf(() => observeMetrics(two, { registry }))
    expect(error).toMatchObject({ code: 'MILLRACE_INVALID_OPTION' })
    expect(error.message).toContain(
      'another engine with pipeline="plain"; give one of them another',
    )
    observeMetrics(two, { registry, name: 'a "second"\none \\' })
    observeMetrics(three, { registry })
    await two.infer({ x })
    const of = async (pipeline: string) =>
      seriesValue(await read(registry), ['millrace_request_duration_seconds_count', { pipeline }])
    expect(await of('plain')).toBe(0)
    expect(await of('a "second"\none \\')).toBe(1)
    expect(await of('digits')).toBe(0)
    await two.close()
    expect(await of('a "second"\none \\')).toBeUndefined()
    expect(await of('plain')).toBe(0)
  })

  it('is left when the engine is closed, so that its successor has the name', async () => {
    const registry = new Registry()
    const engine = await startPlain()
    const metrics = observeMetrics(engine, { registry })
    await engine.close()
    expect(registry.getMetricsAsArray()).toEqual([])
    metrics.stop()
    observeMetrics(await startPlain(), { registry })
    expect(registry.getMetricsAsArray()).toHaveLength(metricDefinitions.length)
    metrics.stop()
    expect(registry.getMetricsAsArray()).toHaveLength(metricDefinitions.length)
  })

  it('is left as it was where a name is taken by something else', async () => {
    const registry = new Registry()
    new Counter({ name: 'millrace_stage_retries_total', help: 'Not ours', registers: [registry] })
    const engine = await startPlain()
    const error = errorOf(() => observeMetrics(engine, { registry }))
    expect(error.message).toContain('another metric called millrace_stage_retries_total')
    expect(registry.getMetricsAsArray()).toHaveLength(1)
    observeMetrics(engine, { registry, prefix: 'ours_' })
    expect((await read(registry)).has('ours_stage_retries_total')).toBe(true)
  })

  it('may write OpenMetrics, again and again', async () => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never) // its type knows one of both
    const metrics = observeMetrics(await startPlain(), { registry })
    const text = await registry.metrics()
    expect(text).toContain('# TYPE millrace_requests counter\n')
    expect(text).toContain('\nmillrace_requests_total{pipeline="plain",outcome="failed"')
    expect(text).toMatch(
      /\nmillrace_request_duration_seconds_bucket\{pipeline="plain",le="\+Inf"\} 0\n/,
    )
    expect(text).toMatch(/# EOF\n$/)
    expect(await registry.metrics()).toBe(text)
    metrics.stop()
    expect(registry.getMetricsAsArray()).toEqual([])
  })

  it('needs prom-client only where none is given', () => {
    const missing = () => {
      throw new Error("Cannot find module 'prom-client'")
    }
    const error = errorOf(() => newRegistry(missing))
    expect(error).toMatchObject({ code: 'MILLRACE_INVALID_OPTION', cause: expect.any(Error) })
    expect(error.message).toContain('npm install prom-client@15')
  })
})

describe('buckets of metrics', () => {
  it('are closest around the objective, and may be given', async () => {
    const engine = await startDigits()
    const les = async (metric: string, options: object) => {
      const metrics = observeMetrics(engine, options)
      const { series = [] } = (await read(metrics.registry)).get(`millrace_${metric}`) ?? {}
      metrics.stop()
      const ours = series.filter(({ labels }) => (labels['stage'] ?? 'fast') === 'fast')
      return ours.flatMap(({ labels }) => labels['le'] ?? []).join(' ')
    }
    expect(await les('request_duration_seconds', {})).toBe(
      '3 6 12 18 30 42 48 54 60 66 75 90 120 180 300 +Inf',
    )
    expect(await les('stage_queue_seconds', {})).toBe('0.3 0.6 1.5 3 6 15 30 45 60 120 +Inf')
    expect(await les('stage_batch_rows', {})).toBe('1 2 4 8 16 32 64 128 256 +Inf')
    const buckets = { latencyMs: [0.1, 70], batchRows: [] }
    expect(await les('request_duration_seconds', { buckets })).toBe('0.0001 0.07 +Inf')
    expect(await les('stage_batch_rows', { buckets })).toBe('+Inf')
  })
})

describe('options of metrics', () => {
  it.each([
    [null, 'metrics options: expected a plain object, got null'],
    [{ prefx: 'a' }, 'metrics options: unknown key "prefx"; did you mean "prefix"?'],
    [{ prefix: '1_' }, "prefix: expected letters, digits and '_'"],
    [{ prefix: 7 }, 'got the number 7'],
    [{ name: '' }, 'name: expected a string that is not empty'],
    [{ labels: [] }, 'labels: expected a plain object, got an array of 0'],
    [{ labels: { 'a-b': 'c' } }, 'labels: expected letters'],
    [{ labels: { stage: 'c' } }, 'labels: "stage" has a meaning of its own'],
    [{ labels: { __a: 'c' } }, 'labels: "__a" has a meaning of its own'],
    [{ labels: { a: 1 } }, 'labels.a: expected a string'],
    [
      { registry: null },
      'registry: expected a Registry of prom-client 15, which has registerMetric()',
    ],
    [{ registry: {} }, 'leave it out for a new one'],
    [{ buckets: { latencyMs: [2, 1] } }, 'buckets.latencyMs: expected bounds in ascending order'],
    [{ buckets: { rows: [] } }, 'buckets: unknown key "rows"'],
    [{ hardware: {} }, 'hardware.tiers: expected a plain object'],
    [{ hardware: { tiers: { 'cpu-1': {} } } }, 'hardware.tiers.cpu-1.pricePerHour: expected'],
  ])('%j are refused', async (options, message) => {
    const engine = await startPlain()
    const error = errorOf(() => observeMetrics(engine, options as object))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })
})
