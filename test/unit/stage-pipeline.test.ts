import { describe, expect, it } from 'vitest'
import { definePipeline, inline, js, onnx, stagePipeline } from '../../src/index.ts'
import { errorOf } from './thrown.ts'

const image = { image: 'request.image' } as const
const run = () => ({ page: new Float32Array(64) }) as never

const pages = definePipeline({
  name: 'pages',
  objective: { latencyMs: 20 },
  stages: {
    segment: inline(run, {
      inputs: { page: { from: 'request.page', type: 'uint8', dims: [64, 64] } },
      outputs: {
        crop: { type: 'float32', dims: [-1, 8, 8] },
        count: { type: 'int32', dims: [-1] },
      },
      fanOut: true,
    }),
    fast: onnx('fast.onnx', { inputs: { 'input.1': 'segment.crop' } }),
    accurate: onnx('accurate.onnx', {
      inputs: { image: 'segment.crop' },
      when: { output: 'fast.conf/idence', below: 0.8 },
      pad: undefined,
    }),
    join: js(new URL('file:///join.js'), {
      inputs: { crops: 'segment.crop', page: 'request.page' },
      outputs: { text: { type: 'string', dims: [] } },
      gather: 'segment',
    }),
    name: js(new URL('file:///name.js'), {
      inputs: { label: ['accurate.label', 'fast.label'] },
      outputs: { text: { type: 'string', dims: [] } },
    }),
  },
  outputs: { text: 'join.text', label: ['accurate.label', 'fast.label'], name: 'name.text' },
})

describe('a pipeline of one stage', () => {
  it('takes what an ONNX model takes and gives those outputs that the whole pipeline uses', () => {
    const alone = stagePipeline(pages, 'fast')
    expect(alone.name).toBe('pages-fast')
    expect(alone.objective).toBeUndefined()
    expect(alone.requestInputs).toEqual(['input_1'])
    expect(alone.order).toEqual(['fast'])
    expect(alone.stages.fast).toMatchObject({ inputs: { 'input.1': ['request.input_1'] } })
    expect(
      Object.entries(alone.outputs).map(([name, { candidates }]) => [name, candidates]),
    ).toEqual([
      ['label', ['fast.label']],
      ['conf_idence', ['fast.conf/idence']],
    ])
  })

  it('runs without the condition that the stage has in the whole', () => {
    const { accurate } = stagePipeline(pages, 'accurate').stages
    expect(accurate.when).toBeUndefined()
    expect(pages.stages.accurate.when).toBeDefined()
  })

  it('keeps what an inline function declares, all its outputs and its fan-out', () => {
    const alone = stagePipeline(pages, 'segment')
    expect(alone.requestInputs).toEqual(['page'])
    expect(alone.stages.segment).toMatchObject({ fanOut: true, run })
    expect(Object.keys(alone.outputs)).toEqual(['crop', 'count'])
  })

  it('finds what a function left to the values that feed it, with a dimension for gathered items', () => {
    const alone = stagePipeline(pages, 'join')
    expect(alone.stages.join).toMatchObject({
      gather: undefined,
      inputs: { crops: ['request.crops'], page: ['request.page'] },
      inputShapes: {
        crops: { type: 'float32', dims: [-1, 8, 8] },
        page: { type: 'uint8', dims: [64, 64] },
      },
    })
  })

  it('is refused where only a model knows what a function is given', () => {
    expect(errorOf(() => stagePipeline(pages, 'name'))).toMatchObject({
      code: 'MILLRACE_INVALID_PIPELINE',
      message: expect.stringContaining(
        'nothing but a model says what input "label" is, and models are not looked at; write { from, type, dims }',
      ),
    })
  })

  it('is refused for a stage that there is not, also for one that decides a condition', () => {
    expect(errorOf(() => stagePipeline(pages, 'fats' as never)).message).toContain(
      'there is no stage "fats"; did you mean "fast"?',
    )
    const deciding = definePipeline({
      stages: {
        fast: onnx('fast.onnx', { inputs: image }),
        accurate: onnx('accurate.onnx', {
          inputs: image,
          when: { output: 'fast.confidence', test: () => true },
        }),
      },
      outputs: { label: ['accurate.label', 'fast.label'] },
    })
    const error = errorOf(() => stagePipeline(deciding, 'accurate:when' as never))
    expect(error.message).toContain('there is no stage "accurate:when"')
    expect(Object.keys(stagePipeline(deciding, 'accurate').stages)).toEqual(['accurate'])
  })

  it('is refused where two names become one, and for what is no pipeline', () => {
    const inputs = { 'a.b': 'request.one', 'a/b': 'request.two' } as const
    const twins = definePipeline({
      stages: { twins: onnx('twins.onnx', { inputs }) },
      outputs: { out: 'twins.out' },
    })
    expect(errorOf(() => stagePipeline(twins, 'twins')).message).toContain('called "a_b"')
    expect(errorOf(() => stagePipeline({} as never, 'x' as never)).code).toBe(
      'MILLRACE_INVALID_PIPELINE',
    )
  })
})
