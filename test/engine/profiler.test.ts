import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writePages } from '../../examples/02-page-of-digits/page.js'
import {
  checkProfile,
  definePipeline,
  type InputsOf,
  inline,
  js,
  onnx,
  type Pipeline,
  type Profile,
  type ProfileProgress,
  Profiler,
} from '../../src/index.ts'
import { join } from './fixtures/items-worker.js'
import { functionsModule, jsOf, numbers } from './functions.ts'
import { itemsPipeline, joining, splits, splitting } from './items.ts'
import {
  cascade,
  digitsModel,
  gather,
  identityOf,
  imagesOf,
  modelFile,
  readDigits,
  slow,
  slowly,
} from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

/** As little as shows that it is right; nothing here is about how long anything takes. */
const brief = { maxBatch: 4, minRuns: 5, maxPointMs: 30 } as const

/** The profile, once a reader of files would take it. */
async function profileOf<P extends Pipeline>(
  pipeline: P,
  samples: Iterable<InputsOf<P>> | AsyncIterable<InputsOf<P>>,
  options: object = {},
): Promise<Profile> {
  const profile = await new Profiler(pipeline, { samples, ...brief, ...options }).run()
  expect(checkProfile(JSON.parse(JSON.stringify(profile)), 'profile')).toEqual(profile)
  return profile
}

function pointsOf(profile: Profile, stage: string, tier = 'cpu-1') {
  return profile.stages[stage]?.tiers?.[tier]?.points ?? []
}

function visitsOf({ paths = [] }: Profile) {
  return paths.map(({ share, visits, rows }) => ({ share, visits, rows }))
}

const digits = readDigits()

/** The pipeline of example 02, made of the sources that are tested here. */
const pageReader = definePipeline({
  name: 'page-of-digits',
  stages: {
    segment: js(new URL('../../examples/02-page-of-digits/segment.js', import.meta.url), {
      inputs: { page: { from: 'request.page', type: 'uint8', dims: [-1] } },
      outputs: {
        crops: { type: 'float32', dims: [-1, 1, 8, 8] },
        lines: { type: 'int32', dims: [-1] },
      },
      fanOut: true,
    }),
    fast: onnx(digitsModel('fast'), { inputs: { image: 'segment.crops' } }),
    accurate: onnx(digitsModel('accurate'), {
      inputs: { image: 'segment.crops' },
      when: { output: 'fast.confidence', below: 0.8 },
    }),
    transcribe: js(new URL('../../examples/02-page-of-digits/transcribe.js', import.meta.url), {
      inputs: { labels: ['accurate.label', 'fast.label'], lines: 'segment.lines' },
      outputs: { text: { type: 'string', dims: [] } },
      gather: 'segment',
    }),
  },
  outputs: { text: 'transcribe.text' },
})

describe('the profile of a cascade', () => {
  it('holds both stages, how often each runs, and who visits both', async () => {
    const samples = digits.map((digit) => imagesOf([digit]))
    const profile = await profileOf(cascade, samples, { tiers: ['cpu-1', 'cpu-2'] })
    expect(profile).toMatchObject({ version: 1, pipeline: 'digits', edges: [['fast', 'accurate']] })
    const unsure = profile.paths?.find(({ visits }) => visits?.length === 2)?.share ?? 0
    expect(visitsOf(profile)).toEqual([
      { share: 240 - unsure, visits: ['fast'] },
      { share: unsure, visits: ['fast', 'accurate'] },
    ])
    expect(unsure).toBeGreaterThan(24)
    expect(profile.stages['fast']).toMatchObject({ scaleFactor: 1, kind: 'onnx' })
    expect(profile.stages['accurate']?.scaleFactor).toBeCloseTo(unsure / 240, 10)
    for (const tier of ['cpu-1', 'cpu-2']) {
      const points = pointsOf(profile, 'accurate', tier)
      expect(points[0]).toMatchObject({ batch: 1 })
      expect(points[0]?.runs).toBeGreaterThanOrEqual(5)
      expect(points[0]?.quantilesMs).toHaveLength(21)
      expect(points[0]?.meanMs).toBeGreaterThan(0.001)
    }
    expect(profile.overhead?.hopMs).toBeGreaterThanOrEqual(0)
    expect(profile.overhead?.requestMs).toBeLessThan(50)
    const { loopMs = 0, answerMs = 0 } = profile.overhead ?? {}
    expect(answerMs).toBeGreaterThan(0)
    expect(answerMs).toBeLessThan(loopMs)
    expect(profile.contention?.[0]).toEqual({ busyThreads: 1, slowdown: 1 })
    expect(profile.timeSharing?.cores).toBe(profile.machine?.cores)
    expect(profile.timeSharing?.sliceMs).toBeGreaterThan(0)
    expect(profile.measured).toMatchObject({ samples: 240, onnxruntime: '1.30.0' })
    expect(Date.parse(profile.measured?.date ?? '')).toBeGreaterThan(0)
    expect(profile.machine?.cores).toBeGreaterThan(0)
  })

  it('holds the rows of requests of several, and samples may come as they are made', async () => {
    async function* samples() {
      yield imagesOf(digits.slice(0, 30))
      yield await Promise.resolve(imagesOf(digits.slice(30, 50)))
    }
    const profile = await profileOf(cascade, samples())
    expect(profile.measured?.samples).toBe(2)
    expect(profile.stages['fast']?.scaleFactor).toBe(25)
    expect(profile.paths).toHaveLength(2)
    const rows = profile.paths?.flatMap((path) => path.rows ?? []) ?? []
    expect(rows.reduce((sum, { times }) => sum + times, 0)).toBe(50)
  })

  it('tells how far it is, and never goes back', async () => {
    const told: ProfileProgress[] = []
    const samples = [imagesOf(digits.slice(0, 50))]
    await new Profiler(cascade, { samples, ...brief }).run({
      onProgress: (progress) => void told.push(progress),
    })
    expect(told[0]).toMatchObject({ done: 1, message: '1 sample requests' })
    expect(
      told.some(({ stage, tier, batch }) => stage === 'fast' && tier === 'cpu-1' && batch),
    ).toBe(true)
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).sort((a, b) => a - b))
    expect(told.at(-1)?.done).toBe(told.at(-1)?.total)
  })

  it('has points for each of several models of a stage', async () => {
    const models = [
      { file: digitsModel('fast'), accuracy: 0.9 },
      { file: digitsModel('accurate'), accuracy: 0.98 },
    ]
    const either = definePipeline({
      stages: { read: onnx({ models }, { inputs: { image: 'request.image' } }) },
      outputs: { label: 'read.label' },
    })
    const { stages } = await profileOf(either, [imagesOf(digits.slice(0, 8))])
    expect(stages['read']?.tiers).toBeUndefined()
    expect(Object.keys(stages['read']?.models ?? {})).toEqual(['digits-fast', 'digits-accurate'])
    expect(stages['read']?.models?.['digits-accurate']).toMatchObject({ accuracy: 0.98 })
    expect(stages['read']?.models?.['digits-fast']?.tiers['cpu-1']?.points[0]?.batch).toBe(1)
  })
})

describe('the profile of a fan-out', () => {
  it('holds the items of each page, in their order', { timeout: 60_000 }, async () => {
    const pages = await writePages({ digits: readPixels(), repeats: 1, seed: 1 })
    const samples = pages.slice(0, 3).map(({ png }) => {
      return { page: { type: 'uint8', dims: [1, png.length], data: png } } as const
    })
    const profile = await profileOf(pageReader, samples)
    const { segment, transcribe, fast } = profile.stages
    expect(segment).toMatchObject({ scaleFactor: 1, kind: 'js', fanOut: true })
    expect(transcribe).toMatchObject({ scaleFactor: 1, kind: 'js', gather: 'segment' })
    expect(fast?.scaleFactor).toBe(48)
    for (const { visits, items } of profile.paths ?? []) {
      expect(visits).toEqual(['segment', 'transcribe'])
      const times = items?.['segment']?.map((group) => group.times) ?? []
      expect(times.reduce((sum, one) => sum + one, 0)).toBe(48)
    }
    expect(pointsOf(profile, 'transcribe')[0]?.meanMs).toBeGreaterThan(0)
  })

  it('holds items of items, and rows without any', async () => {
    const nested = definePipeline({
      stages: {
        split: splits['inline batched'],
        parts: inline(({ x }) => ({ part: ones((x.data[0] as number) % 100) }), {
          inputs: { x: 'split.value' },
          outputs: { part: { type: 'float32', dims: [-1] } },
          fanOut: true,
          batched: false,
        }),
        work: inline(({ part }) => ({ y: part.data as Float32Array }), {
          inputs: { part: 'parts.part', n: splitting.inputs.n },
          outputs: { y: { type: 'float32', dims: [] } },
        }),
        inner: inline(join, { ...joining, gather: 'parts' }),
        join: inline(join, { ...joining, inputs: { values: 'inner.sum' } }),
      },
      outputs: { sum: 'join.sum' },
    })
    const profile = await profileOf(nested, [numbers(3, 0), numbers(2)])
    const outer = ['split', 'join']
    const [none, one, two] = [0, 1, 2].map((times) => {
      const parts = times === 0 ? [] : [{ times, visits: ['work'] }]
      return { times: 1, visits: ['parts', 'inner'], items: { parts } }
    })
    expect(profile.paths).toEqual([
      {
        share: 1,
        rows: [
          { times: 1, visits: outer, items: { split: [none, one, two] } },
          { times: 1, visits: outer, items: { split: [] } },
        ],
      },
      { share: 1, visits: outer, items: { split: [none, one] } },
    ])
    expect(profile.stages['work']?.scaleFactor).toBe(2)
    expect(profile.stages['work']?.kind).toBe('inline')
    expect(profile.contention).toBeUndefined()
    expect(profile.timeSharing).toBeUndefined()
  })

  it('is of any kind of function', async () => {
    const profile = await profileOf(itemsPipeline('js batched', 'inline cached'), [numbers(3, 1)])
    expect(profile.stages['work']?.scaleFactor).toBe(4)
    expect(profile.stages['split']).toMatchObject({ kind: 'js', fanOut: true })
  })
})

describe('a stage is profiled with what it is given', () => {
  it('where rows differ in length, padded or not', async () => {
    const encode = (pad: object) =>
      definePipeline({
        stages: {
          encode: onnx(modelFile('dynamic-sequence'), {
            inputs: { tokens: 'request.tokens' },
            ...pad,
          }),
        },
        outputs: { doubled: 'encode.doubled' },
      })
    const samples = [3, 8, 21].map((length) => {
      return {
        tokens: { type: 'float32', dims: [1, length], data: new Float32Array(length) },
      } as const
    })
    for (const pipeline of [encode({ pad: { tokens: 0 } }), encode({})]) {
      const profile = await profileOf(pipeline, samples)
      expect(pointsOf(profile, 'encode').length).toBeGreaterThan(0)
    }
  })

  it('where rows are strings, and functions are given them one by one', async () => {
    const words = definePipeline({
      stages: {
        echo: onnx(modelFile('echo-string'), { inputs: { text: 'request.text' } }),
        length: inline(({ text }) => ({ letters: [...String(text.data[0])] }), {
          inputs: { text: 'echo.echo' },
          outputs: { letters: { type: 'string', dims: [-1] } },
          batched: false,
        }),
      },
      outputs: { letters: 'length.letters' },
    })
    const samples = ['one', 'three', ''].map((word) => {
      return { text: { type: 'string', dims: [1], data: [word] } } as const
    })
    const profile = await profileOf(words, samples)
    expect(pointsOf(profile, 'length')[0]?.batch).toBe(1)
    expect(profile.stages['length']?.kind).toBe('inline')
  })

  it('where a function decides, which is a stage of its own', async () => {
    const chosen = definePipeline({
      stages: {
        fast: onnx(digitsModel('fast'), { inputs: { image: 'request.image' } }),
        accurate: onnx(digitsModel('accurate'), {
          inputs: { image: 'request.image' },
          when: { output: 'fast.confidence', test: (confidence) => Number(confidence) < 0.8 },
        }),
      },
      outputs: { label: ['accurate.label', 'fast.label'] },
    })
    const profile = await profileOf(
      chosen,
      digits.map((digit) => imagesOf([digit])),
    )
    expect(Object.keys(profile.stages)).toEqual(['fast', 'accurate:when', 'accurate'])
    expect(profile.stages['accurate:when']).toMatchObject({ scaleFactor: 1, kind: 'inline' })
    expect(profile.edges).toContainEqual(['accurate:when', 'accurate'])
    expect(profile.stages['accurate']?.scaleFactor).toBeLessThan(0.5)
  })

  it('where a model takes whole tensors, of the request or of another stage', async () => {
    const whole = definePipeline({
      stages: {
        first: onnx(modelFile('no-batch'), { inputs: { x: 'request.x' } }),
        second: onnx(modelFile('no-batch'), { inputs: { x: 'first.y' } }),
        third: onnx(modelFile('fixed-batch'), { inputs: { x: 'request.row' } }),
      },
      outputs: { y: 'second.y', row: 'third.y' },
    })
    const x = Float32Array.of(1, 2, 3)
    const profile = await profileOf(whole, [{ x, row: x }])
    expect(profile.paths).toEqual([{ share: 1, visits: ['first', 'second', 'third'] }])
    for (const name of ['first', 'second', 'third']) {
      expect(pointsOf(profile, name).map(({ batch }) => batch)).toEqual([1])
    }
  })

  it('where names are odd, and results are kept', async () => {
    const odd = definePipeline({
      name: 'odd-1',
      stages: {
        constructor: onnx(modelFile('two-inputs'), {
          inputs: { a: 'request.a', b: 'request.b' },
          cache: { maxBytes: 1 << 20 },
        }),
        'tap-0': inline(({ sum }) => ({ y: sum.data as Float32Array }), {
          inputs: { sum: 'constructor.sum' },
          outputs: { y: { type: 'float32', dims: [2] } },
        }),
      },
      outputs: { 'tap-1': 'tap-0.y', difference: 'constructor.difference' },
    })
    const row = { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) } as const
    const profile = await profileOf(odd, [{ a: row, b: row }])
    expect(profile.stages['constructor']?.scaleFactor).toBe(1)
    expect(pointsOf(profile, 'constructor')[0]?.runs).toBeGreaterThanOrEqual(5)
    expect(profile.paths).toEqual([{ share: 1, visits: ['constructor', 'tap-0'] }])
  })
})

describe('a profile ends with an error', () => {
  const row = imagesOf(digits.slice(0, 1))

  it('where there is no sample, or a stage that none of them visits', async () => {
    const none = new Profiler(cascade, { samples: [], ...brief })
    expect(await rejectionOf(none.run())).toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
      message: expect.stringContaining('at least one request') as string,
    })
    const sure = new Profiler(cascade, { samples: [row], ...brief })
    const { message } = await rejectionOf(sure.run())
    expect(message).toContain('stage "accurate"')
    expect(message).toContain('add one that does')
  })

  it('where a sample does not fit, naming it', async () => {
    const bad = [row, { image: new Float32Array(3) }] as InputsOf<typeof cascade>[]
    const error = await rejectionOf(new Profiler(cascade, { samples: bad }).run())
    expect(error.code).toBe('MILLRACE_INVALID_INPUT')
    expect(error.message).toContain('samples, request 1')
  })

  it('where a stage fails, naming it', async () => {
    const index = (at: number) => ({ index: BigInt64Array.of(BigInt(at)) })
    const error = await rejectionOf(new Profiler(gather, { samples: [index(1), index(99)] }).run())
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'gather' })
    expect(error.message).toContain('samples, request 1: stage "gather" failed')
    let calls = 0
    const fickle = definePipeline({
      stages: {
        work: inline(
          () => {
            if (calls++ > 3) throw new Error('enough')
            return { y: 1 }
          },
          {
            inputs: { x: { from: 'request.x', type: 'float32', dims: [] } },
            outputs: { y: { type: 'float32', dims: [] } },
            batched: false,
          },
        ),
      },
      outputs: { y: 'work.y' },
    })
    const later = await rejectionOf(new Profiler(fickle, { samples: [numbers(1)] }).run())
    expect(later).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
    expect(later.message).toContain('stage "work", profiled with batches of')
  })

  it.each([
    [{ tiers: ['k80'] }, 'tiers: expected "cpu-N"'],
    [{ tiers: ['cpu-0'] }, 'tiers'],
    [{ tiers: ['cpu-257'] }, 'tiers'],
    [{ tiers: [] }, 'tiers'],
    [{ tiers: 'cpu-1' }, 'tiers'],
    [{ maxBatch: 0 }, 'maxBatch'],
    [{ minRuns: 0.5 }, 'minRuns'],
    [{ maxPointMs: 0 }, 'maxPointMs'],
    [{ maxPointMs: Number.NaN }, 'maxPointMs'],
    [{ seed: -1 }, 'seed'],
    [{ samples: 'many' }, 'samples'],
    [{ samples: undefined }, 'samples'],
    [{ sample: [] }, 'did you mean "samples"'],
  ])('at once for %j', (options, text) => {
    const given = { samples: [row], ...options } as never
    expect(() => new Profiler(cascade, given)).toThrow(text)
  })

  it('before anything runs where a tier is not there', async () => {
    const samples: Iterable<never> = {
      [Symbol.iterator]() {
        throw new Error('they were asked for')
      },
    }
    const profiler = new Profiler(cascade, { samples, tiers: ['cpu-1', 'cuda-99'] })
    expect(await rejectionOf(profiler.run())).toMatchObject({
      code: 'MILLRACE_DEVICE_UNAVAILABLE',
      message: expect.stringContaining('tiers: "cuda-99" cannot be used here'),
    })
  })

  it('where it is cancelled, while something runs that would take long', async () => {
    const controller = new AbortController()
    const reason = new Error('no longer')
    const run = new Profiler(slow, { samples: [slowly(400)], maxPointMs: 60_000 }).run({
      signal: controller.signal,
      onProgress: () => setImmediate(() => controller.abort(reason)),
    })
    expect(await rejectionOf(run)).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: reason })
    const aborted = AbortSignal.abort(reason)
    const never = new Profiler(slow, { samples: [slowly(1)] }).run({ signal: aborted })
    expect(await rejectionOf(never)).toMatchObject({ code: 'MILLRACE_CANCELLED' })
  })

  it('where whoever is told throws', async () => {
    const run = new Profiler(identityOf('float32'), { samples: [{ x: new Float32Array(4) }] }).run({
      onProgress: () => {
        throw new RangeError('not now')
      },
    })
    await expect(run).rejects.toThrow('not now')
  })

  it('where a module cannot be opened', async () => {
    const missing = definePipeline({
      stages: {
        work: js(new URL('nowhere.js', functionsModule), {
          inputs: { x: { from: 'request.x', type: 'float32', dims: [] } },
          outputs: { y: { type: 'float32', dims: [] } },
        }),
      },
      outputs: { y: 'work.y' },
    })
    const error = await rejectionOf(new Profiler(missing, { samples: [numbers(1)] }).run())
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
    const { stages } = await profileOf(jsOf('doubleBatch', { batched: true }), [numbers(1, 2)])
    expect(stages['work']?.kind).toBe('js')
  })
})

function ones(length: number) {
  return { type: 'float32', dims: [length], data: new Float32Array(length).fill(1) } as const
}

function readPixels() {
  const csv = readFileSync(
    new URL('../../examples/01-digits-cascade/data/test.csv', import.meta.url),
    'utf8',
  )
  return csv.trim().split('\n').slice(1).map(pixelsOf)
}

function pixelsOf(line: string) {
  const [label = Number.NaN, ...pixels] = line.split(',').map(Number)
  const image = { type: 'float32', dims: [1, 1, 8, 8], data: Float32Array.from(pixels) } as const
  return { label, image }
}
