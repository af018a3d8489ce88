import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx, type Pipeline } from '../../src/index.ts'
import {
  accurateAlone,
  digitsModel,
  fastAlone,
  imagesOf,
  modelFile,
  readDigits,
} from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const digits = readDigits()
const image = { inputs: { image: 'request.image' } } as const
const small = { file: digitsModel('fast'), accuracy: 0.94, name: 'small' }
const large = { file: digitsModel('accurate'), accuracy: 0.98, name: 'large' }
const pipeline = definePipeline({
  name: 'digits',
  stages: { read: onnx({ models: [small, large] }, image) },
  outputs: { label: 'read.label' },
})
const labelsOf = async (engine: Engine<Pipeline<'image', 'label'>>) =>
  [...(await engine.infer(imagesOf(digits))).label.data].map(Number)
const rest = { tier: 'cpu-1', maxDelayMs: 0, maxBatch: 16, replicas: 1 }
const one = { read: { replicas: 1 } }

let fast: readonly number[]
let accurate: readonly number[]
beforeAll(async () => {
  await using engine = await Engine.start(fastAlone)
  fast = await labelsOf(engine)
  await using other = await Engine.start(accurateAlone)
  accurate = await labelsOf(other)
  expect(accurate).not.toEqual(fast)
})

describe('an engine whose stage lists several models', () => {
  it('starts with the first, or with the one that its configuration names', async () => {
    await using first = await Engine.start(pipeline, { configuration: one })
    expect(await labelsOf(first)).toEqual(fast)
    expect(first.configuration).toStrictEqual({ read: { ...rest, model: 'small' } })
    const configuration = { read: { ...rest, model: 'large' } }
    await using other = await Engine.start(pipeline, { configuration })
    expect(await labelsOf(other)).toEqual(accurate)
    expect(other.configuration).toStrictEqual(configuration)
  })

  it('says nothing of models for a stage that has one', async () => {
    await using engine = await Engine.start(fastAlone, { configuration: { fast: { replicas: 1 } } })
    expect(engine.configuration).toStrictEqual({ fast: rest })
  })

  it('changes the model together with everything else', async () => {
    await using engine = await Engine.start(pipeline, { configuration: one })
    const told: unknown[] = []
    engine.on('apply', ({ before, after }) => told.push([before.read.model, after.read.model]))
    engine.on('swap', () => told.push('swap'))
    await engine.apply({ read: { model: 'large', tier: 'cpu-2', replicas: 2, maxBatch: 4 } })
    expect(await labelsOf(engine)).toEqual(accurate)
    expect(engine.configuration.read).toEqual({
      tier: 'cpu-2',
      maxDelayMs: 0,
      maxBatch: 4,
      replicas: 2,
      model: 'large',
    })
    expect(engine.stats().stages.read).toMatchObject({ replicas: 2, batchRows: { max: 4 } })
    await engine.apply({ read: { tier: 'cpu-1' } })
    expect(await labelsOf(engine)).toEqual(accurate)
    await engine.apply({ read: { model: 'small' } })
    expect(await labelsOf(engine)).toEqual(fast)
    expect(told).toEqual([
      ['small', 'large'],
      ['large', 'large'],
      ['large', 'small'],
    ])
  })

  it('answers every request while its models change, from one or the other', async () => {
    await using engine = await Engine.start(pipeline, { configuration: one })
    let changing = true
    let answered = 0
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let at = client; changing; at = (at + 8) % digits.length) {
        const { label } = await engine.infer(imagesOf(digits.slice(at, at + 1)))
        expect([fast[at], accurate[at]]).toContain(Number(label.data[0]))
        answered++
      }
    })
    for (const model of ['large', 'small', 'large', 'small', 'large']) {
      await engine.apply({ read: { model, replicas: model === 'large' ? 2 : 1 } })
    }
    changing = false
    await Promise.all(clients)
    expect(await labelsOf(engine)).toEqual(accurate)
    expect(engine.stats().requests).toMatchObject({ completed: answered + 1, failed: 0 })
  })

  it('shows the model that was swapped in where it is listed, and none where it is not', async () => {
    await using engine = await Engine.start(pipeline, { configuration: one })
    await engine.swap('read', digitsModel('accurate').pathname)
    expect(engine.configuration.read.model).toBe('large')
    expect(await labelsOf(engine)).toEqual(accurate)
    await engine.swap('read', readFileSync(digitsModel('fast')))
    expect(engine.configuration).toStrictEqual({ read: rest })
    await engine.apply(engine.configuration)
    await engine.apply({ read: { tier: 'cpu-2' } })
    expect(await labelsOf(engine)).toEqual(fast)
    expect(engine.configuration.read).not.toHaveProperty('model')
    await engine.apply({ read: { model: 'large' } })
    expect(await labelsOf(engine)).toEqual(accurate)
    await engine.apply({ read: { tier: 'cpu-1' } })
    expect(await labelsOf(engine)).toEqual(accurate)
    expect(engine.configuration.read.model).toBe('large')
  })

  it('takes the bytes of models', async () => {
    const bytes = { ...large, file: readFileSync(digitsModel('accurate')) }
    const mixed = definePipeline({
      stages: { read: onnx({ models: [small, bytes] }, image) },
      outputs: { label: 'read.label' },
    })
    await using engine = await Engine.start(mixed, { configuration: { read: { model: 'large' } } })
    expect(await labelsOf(engine)).toEqual(accurate)
    await engine.swap('read', small.file)
    await engine.swap('read', bytes.file)
    expect(engine.configuration.read.model).toBe('large')
  })
})

describe('a model that cannot serve', () => {
  const folder = mkdtempSync(`${tmpdir()}/millrace-variants-`)
  afterAll(() => rmSync(folder, { recursive: true }))
  const missing = { file: `${folder}/missing.onnx`, accuracy: 1 }
  const broken = { file: modelFile('broken-truncated'), accuracy: 1 }
  const other = { file: modelFile('two-inputs'), accuracy: 1 }
  const pair = definePipeline({
    stages: {
      read: onnx({ models: [small, large, missing, broken, other] }, image),
      also: onnx({ models: [small, large] }, image),
    },
    outputs: { label: 'read.label', second: 'also.label' },
  })

  it.each([
    ['missing', 'MILLRACE_MODEL_LOAD', 'expected an ONNX model at'],
    ['broken-truncated', 'MILLRACE_MODEL_LOAD', 'broken-truncated.onnx'],
    [
      'two-inputs',
      'MILLRACE_INVALID_PIPELINE',
      /^apply: stage "read" \(.*two-inputs\.onnx\): expected a model with inputs "image"/,
    ],
  ])('leaves everything as it is when it is applied: %s', async (model, code, message) => {
    await using engine = await Engine.start(pair)
    const before = engine.configuration
    const change = { read: { model, maxBatch: 2 }, also: { model: 'large', maxBatch: 3 } }
    const error = await rejectionOf(engine.apply(change))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(engine.configuration).toEqual(before)
    const { label, second } = await engine.infer(imagesOf(digits))
    expect([[...label.data].map(Number), [...second.data].map(Number)]).toEqual([fast, fast])
  })

  it('is named when an engine starts with it', async () => {
    const start = (model: string) => Engine.start(pair, { configuration: { read: { model } } })
    expect((await rejectionOf(start('missing'))).message).toContain('missing.onnx')
    const { code, message } = await rejectionOf(start('two-inputs'))
    expect(code).toBe('MILLRACE_INVALID_PIPELINE')
    expect(message).toMatch(/stage "read" \(.*two-inputs\.onnx\)/)
  })

  it('is not looked at while another one serves', async () => {
    copyFileSync(digitsModel('accurate'), `${folder}/missing.onnx`)
    await using engine = await Engine.start(pair)
    writeFileSync(`${folder}/missing.onnx`, 'no model')
    expect((await rejectionOf(engine.apply({ read: { model: 'missing' } }))).code).toBe(
      'MILLRACE_MODEL_LOAD',
    )
    copyFileSync(digitsModel('accurate'), `${folder}/missing.onnx`)
    await engine.apply({ read: { model: 'missing' } })
    expect(engine.configuration.read.model).toBe('missing')
    rmSync(`${folder}/missing.onnx`)
  })
})

describe('a plan', () => {
  const estimate = { requests: 0, p50Ms: 1, p95Ms: 1, p99Ms: 1, maxMs: 1, attainment: 1 }
  const plan = {
    version: 1,
    pipeline: 'digits',
    objective: { latencyMs: 20, percentile: 99 },
    strategy: 'optimal',
    configuration: { read: { tier: 'cpu-1', maxBatch: 8, replicas: 2, model: 'large' } },
    costPerHour: 0.1,
    estimate: { ...estimate, costPerHour: 0.1, stages: {} },
    tuning: { envelope: [], stages: {} },
    reasons: { read: 'the cheapest' },
    search: { candidates: 1, ruledOut: {}, simulated: 1 },
  } as const

  it('is applied as it is, and its configuration started with', async () => {
    const { configuration } = plan
    await using started = await Engine.start(pipeline, { configuration })
    expect(started.configuration.read).toMatchObject(configuration.read)
    await using engine = await Engine.start(pipeline)
    await engine.apply(JSON.parse(JSON.stringify(plan)))
    await engine.apply(plan)
    expect(engine.configuration).toEqual(started.configuration)
    expect(await labelsOf(engine)).toEqual(accurate)
  })

  it('for another pipeline is refused', async () => {
    await using engine = await Engine.start(pipeline)
    for (const [name, got] of [
      ['pages', 'the string "pages"'],
      [5, 'the number 5'],
    ]) {
      const error = await rejectionOf(engine.apply({ ...plan, pipeline: name as string }))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain(
        `apply: expected a plan for pipeline "digits", which this engine serves, got one for ${got}`,
      )
    }
    expect(engine.configuration.read.model).toBe('small')
  })

  it('is told from a configuration also where a stage is called like its key', async () => {
    const odd = definePipeline({
      stages: { configuration: onnx({ models: [small, large] }, image) },
      outputs: { label: 'configuration.label' },
    })
    await using engine = await Engine.start(odd)
    await engine.apply({ configuration: { model: 'large' } })
    expect(engine.configuration.configuration.model).toBe('large')
    const configuration = { configuration: { tier: 'cpu-1', maxBatch: 2, model: 'small' } }
    await engine.apply({ ...plan, pipeline: 'pipeline', configuration })
    expect(engine.configuration.configuration).toMatchObject({ maxBatch: 2, model: 'small' })
  })
})
