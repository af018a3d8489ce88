import { describe, expect, it } from 'vitest'
import { checkPipeline, definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { type OnnxStage, onnx } from '../../src/pipeline/onnx.ts'
import { errorOf } from './thrown.ts'

const fromRequest = { image: 'request.image' } as const
const stage = () => onnx('m.onnx', { inputs: fromRequest })
const fedBy = (...texts: string[]) => {
  const inputs = texts.map((text, index) => [`in${index}`, text])
  return onnx('m.onnx', { inputs: Object.fromEntries(inputs) })
}

// As JavaScript sees it: what the compiler would refuse must be refused when it runs, too.
const define = (definition: unknown) => definePipeline(definition as never)
const makeStage = (source: unknown, options: unknown) => onnx(source as never, options as never)

function cascade() {
  return definePipeline({
    name: 'digits',
    objective: { latencyMs: 20 },
    stages: {
      fast: onnx('fast.onnx', { inputs: fromRequest }),
      accurate: onnx('accurate.onnx', {
        inputs: fromRequest,
        when: { output: 'fast.confidence', below: 0.8 },
      }),
    },
    outputs: {
      label: ['accurate.label', 'fast.label'],
      checked: { from: 'accurate.label', default: -1 },
    },
  })
}

describe('a pipeline', () => {
  it('knows its stages, order, inputs and outputs', () => {
    const pipeline = cascade()
    expect(pipeline).toMatchObject({
      name: 'digits',
      objective: { latencyMs: 20, percentile: 99 },
      order: ['fast', 'accurate'],
      requestInputs: ['image'],
      outputs: {
        label: { candidates: ['accurate.label', 'fast.label'], default: undefined },
        checked: { candidates: ['accurate.label'], default: -1 },
      },
    })
    expect(Object.keys(pipeline.stages)).toEqual(['fast', 'accurate'])
    expect(pipeline.stages.accurate).toMatchObject({
      source: 'accurate.onnx',
      inputs: { image: ['request.image'] },
      when: { output: 'fast.confidence', below: 0.8 },
    })
  })

  it('is frozen through and through', () => {
    const pipeline = cascade()
    const { stages, outputs } = pipeline
    const { inputs, when, config } = stages.accurate as OnnxStage
    const parts: readonly unknown[] = [
      pipeline,
      pipeline.objective,
      pipeline.order,
      pipeline.requestInputs,
      stages,
      stages.accurate,
      inputs,
      inputs['image'],
      when,
      config,
      outputs,
      outputs.label,
      outputs.label.candidates,
    ]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
  })

  it('is called pipeline and promises nothing by default', () => {
    const pipeline = definePipeline({ stages: { a: stage() }, outputs: { x: 'a.x' } })
    expect(pipeline).toMatchObject({ name: 'pipeline', objective: undefined })
  })

  it('orders stages by what they need, then as they are written', () => {
    const pipeline = define({
      stages: {
        last: fedBy('left.x', 'right.x'),
        right: fedBy('first.x'),
        left: fedBy('first.x'),
        first: stage(),
      },
      outputs: { x: 'last.x' },
    })
    expect(pipeline.order).toEqual(['first', 'right', 'left', 'last'])
    expect(Object.keys(pipeline.stages)).toEqual(['last', 'right', 'left', 'first'])
  })

  it('is ordered by its conditions, too', () => {
    const late = onnx('m.onnx', { inputs: fromRequest, when: { output: 'early.x', above: 0 } })
    const pipeline = define({
      stages: { late, early: stage() },
      outputs: { x: { from: 'late.x', default: 0 }, y: 'early.y' },
    })
    expect(pipeline.order).toEqual(['early', 'late'])
  })

  it('takes one stage under two names', () => {
    const twin = stage()
    const pipeline = definePipeline({
      stages: { left: twin, right: twin },
      outputs: { x: 'left.x', y: 'right.x' },
    })
    expect(pipeline.stages.left).toBe(pipeline.stages.right)
  })

  it('may name stages like the members of an object', () => {
    const pipeline = define({
      stages: { constructor: stage(), toString: fedBy('constructor.x') },
      outputs: { valueOf: 'toString.x' },
    })
    expect(pipeline.order).toEqual(['constructor', 'toString'])
    expect(Object.keys(pipeline.outputs)).toEqual(['valueOf'])
  })

  it('may refer to model outputs with dots, slashes and spaces in their names', () => {
    const pipeline = define({ stages: { a: stage() }, outputs: { x: 'a./head.0/Gemm out:0' } })
    expect(pipeline.outputs['x']?.candidates).toEqual(['a./head.0/Gemm out:0'])
  })

  it('may have 64 stages, and no more', () => {
    const chain = (length: number) => ({
      stages: Object.fromEntries(
        Array.from({ length }, (_, i) => [`s${i}`, fedBy(i === 0 ? 'request.x' : `s${i - 1}.y`)]),
      ),
      outputs: { y: `s${length - 1}.y` },
    })
    expect(define(chain(64)).order).toHaveLength(64)
    expect(() => define(chain(65))).toThrow('expected at most 64, got 65')
  })
})

describe('what is taken for a pipeline', () => {
  it('was made by definePipeline', () => {
    expect(() => checkPipeline(cascade())).not.toThrow()
  })

  it.each([undefined, null, 'digits', {}, { ...cascade() }])('is not %o', (value) => {
    expect(errorOf(() => checkPipeline(value)).code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('a branch that may not run', () => {
  const when = { output: 'gate.p', above: 0.5 } as const
  const stages = {
    gate: stage(),
    maybe: onnx('m.onnx', { inputs: fromRequest, when }),
    next: onnx('m.onnx', { inputs: { x: 'maybe.x' } }),
    joined: onnx('m.onnx', { inputs: { x: ['next.x', 'gate.x'] } }),
  }
  const keep = { m: { from: 'maybe.x', default: 0 }, n: { from: 'next.x', default: 0 } } as const

  it('makes what follows uncertain, up to a join with a certain candidate', () => {
    expect(() => define({ stages, outputs: { ...keep, y: 'joined.y' } })).not.toThrow()
    expect(() => define({ stages, outputs: { ...keep, j: 'joined.y', y: 'next.y' } })).toThrow(
      'output "y": it may be that none of next.y runs for a row; add a candidate that always runs, ' +
        'or write { from, default }',
    )
  })

  it('gives an output a default, of whatever kind', () => {
    for (const value of [0, -1.5, Number.NaN, 7n, '', 'none', true, false]) {
      const outputs = { ...keep, j: 'joined.y', y: { from: ['next.y'], default: value } }
      expect(define({ stages, outputs }).outputs['y']).toEqual({
        candidates: ['next.y'],
        default: value,
      })
    }
  })

  it('stands before the candidate that always runs, or would never be taken', () => {
    const outputs = { ...keep, j: 'joined.y', y: ['gate.x', 'next.y'] }
    expect(() => define({ stages, outputs })).toThrow(
      `output "y": 'next.y' is never taken: 'gate.x' before it always is; put the one that`,
    )
    const reversed = onnx('m.onnx', { inputs: { x: ['gate.x', 'next.x'] } })
    const outputsOf = { ...keep, y: 'joined.y' }
    expect(() => define({ stages: { ...stages, joined: reversed }, outputs: outputsOf })).toThrow(
      `stage "joined", input "x": 'next.x' is never taken`,
    )
  })
})

describe('a definition is refused when', () => {
  const one = { stages: { a: stage() }, outputs: { x: 'a.x' } }
  const gated = (when: unknown) => makeStage('m.onnx', { inputs: fromRequest, when })
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['it is not an object', 7, 'definePipeline(): expected a plain object, got the number 7'],
    ['it is missing', undefined, 'got undefined'],
    ['it has an unknown key', { ...one, stage: {} }, 'unknown key "stage"; did you mean "stages"?'],
    ['its name is malformed', { ...one, name: 'a b' }, 'name: expected a name of 1 to 128 letters'],
    ['its name is null', { ...one, name: null }, 'got null; rename it'],
    ['it has no stages', { ...one, stages: {} }, 'stages: there are none; add one'],
    [
      'its stages are a list',
      { ...one, stages: [stage()] },
      'expected a plain object, got an array',
    ],
    ['it has no outputs', { ...one, outputs: {} }, 'outputs: there are none; add one'],
    [
      'outputs are missing',
      { stages: one.stages },
      'outputs: expected a plain object, got undefined',
    ],
    [
      'a stage is none',
      { ...one, stages: { a: { kind: 'onnx', inputs: {} } } },
      'stage "a": expected a stage, got an object with kind, inputs; make it with onnx()',
    ],
    ['a stage is called request', { ...one, stages: { request: stage() } }, 'rename it'],
    ['a stage has a dot', { ...one, stages: { 'a.b': stage() } }, 'got the string "a.b"'],
    ['a stage has no name', { ...one, stages: { '': stage() } }, 'got the string ""'],
    [
      'a stage is called __proto__',
      { ...one, stages: Object.fromEntries([['__proto__', stage()]]) },
      'got the string "__proto__"; rename it',
    ],
    ['an output has a space', { ...one, outputs: { 'x y': 'a.x' } }, 'got the string "x y"'],
    ['an output is a number', { ...one, outputs: { x: 7 } }, 'output "x": expected a plain object'],
    ['an output is empty', { ...one, outputs: { x: [] } }, 'got an empty list; add one'],
    ['an output has no dot', { ...one, outputs: { x: 'ax' } }, "such as 'request.image'"],
    ['a reference has no value', { ...one, outputs: { x: 'a.' } }, 'got the string "a."'],
    ['a reference has no node', { ...one, outputs: { x: '.a' } }, 'got the string ".a"'],
    ['a request input is malformed', { ...one, outputs: { x: 'request.a.b' } }, '"request.a.b"'],
    ['a reference is listed twice', { ...one, outputs: { x: ['a.x', 'a.x'] } }, 'listed twice'],
    ['an output has no from', { ...one, outputs: { x: { default: 1 } } }, 'from: expected a refer'],
    ['an output has no default', { ...one, outputs: { x: { from: 'a.x' } } }, 'default: expected'],
    [
      'a default is an object',
      { ...one, outputs: { x: { from: 'a.x', default: {} } } },
      'expected a number, bigint, boolean or string, got an empty object',
    ],
    [
      'an output has an unknown key',
      { ...one, outputs: { x: { form: 'a.x', default: 0 } } },
      'unknown key "form"; did you mean "from"?',
    ],
    [
      'an output names an unknown stage',
      { stages: { fast: stage() }, outputs: { x: 'fsat.x' } },
      'output "x": there is no stage "fsat" for \'fsat.x\'; did you mean "fast"?',
    ],
    [
      'an input names an unknown stage',
      { ...one, stages: { a: fedBy('reqest.image') } },
      'stage "a", input "in0": there is no stage "reqest" for \'reqest.image\'; did you mean "request"?',
    ],
    [
      'a condition names an unknown stage',
      { ...one, stages: { a: gated({ output: 'b.p', below: 1 }) } },
      'stage "a", when: there is no stage "b"',
    ],
    [
      'a condition is on its own stage',
      { ...one, stages: { a: gated({ output: 'a.p', below: 1 }) } },
      'stage "a", when: \'a.p\' is its own output, unknown before it runs; ask another stage',
    ],
    [
      'a stage feeds itself',
      { ...one, stages: { a: fedBy('a.p') } },
      'stage "a", input "in0": \'a.p\' is its own output; take another value',
    ],
    [
      'stages wait for each other',
      {
        stages: { a: fedBy('c.x'), b: fedBy('a.x'), c: fedBy('b.x'), d: fedBy('c.x') },
        outputs: { x: 'd.x' },
      },
      'stages wait for each other: a -> b -> c -> a; cut one of these edges',
    ],
    [
      'stages wait for each other through a condition',
      { stages: { a: fedBy('b.x'), b: gated({ output: 'a.x', below: 0 }) }, outputs: { x: 'a.x' } },
      'a -> b -> a',
    ],
    [
      'nothing needs a stage',
      { ...one, stages: { a: stage(), idle: stage() } },
      'stages: no output needs "idle"; use or remove it',
    ],
    [
      'only an idle stage needs a stage',
      { ...one, stages: { a: stage(), idle: stage(), more: fedBy('idle.x') } },
      'no output needs "idle", "more"; use or remove them',
    ],
    [
      'an output repeats what feeds no stage',
      { ...one, outputs: { x: 'a.x', y: 'request.imag' } },
      '\'request.imag\' feeds no stage, so that its type is unknown; did you mean "image"?',
    ],
    ['the objective is a number', { ...one, objective: 20 }, 'objective: expected a plain object'],
    ['the objective is empty', { ...one, objective: {} }, 'latencyMs: expected a finite number'],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '20'].map((latencyMs) => {
      return [`latency is ${latencyMs}`, { ...one, objective: { latencyMs } }, 'above 0'] as const
    }),
    ...[0, 100, Number.NaN, '99'].map((percentile) => {
      const objective = { latencyMs: 1, percentile }
      return [`percentile is ${percentile}`, { ...one, objective }, 'below 100'] as const
    }),
  ]

  it.each(cases)('%s', (_, definition, message) => {
    const error = errorOf(() => define(definition))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })

  it('is named in every message about it', () => {
    const stages = { a: stage() }
    const error = errorOf(() => define({ name: 'digits', stages, outputs: { x: 'b.x' } }))
    expect(error.message).toMatch(/^pipeline "digits", output "x": /)
  })
})

describe('an objective', () => {
  it('may ask for a fraction of a percent', () => {
    const objective = { latencyMs: 0.5, percentile: 99.9 }
    const pipeline = definePipeline({ objective, stages: { a: stage() }, outputs: { x: 'a.x' } })
    expect(pipeline.objective).toEqual(objective)
  })
})
