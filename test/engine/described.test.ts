// What an engine says of itself: what it takes and gives, and whether it takes requests.
import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, inline, js, onnx, stagePipeline } from '../../src/index.ts'
import { cascade, modelFile, readDigits } from './pipelines.ts'

describe('the inputs and outputs of an engine', () => {
  it('are described with open dimensions, rows first', async () => {
    await using engine = await Engine.start(cascade)
    expect(engine.inputs).toEqual({ image: { type: 'float32', dims: [-1, 1, 8, 8] } })
    expect(engine.outputs).toEqual({
      label: { type: 'int64', dims: [-1] },
      confidence: { type: 'float32', dims: [-1] },
    })
    expect(engine.inputs.image.type).toBe('float32')
    expect(Object.isFrozen(engine.inputs.image.dims)).toBe(true)
    expect('constructor' in engine.inputs).toBe(false)
  })

  it('have the dims of the whole tensor where a request is one row', async () => {
    const fixed = definePipeline({
      stages: { fixed: onnx(modelFile('fixed-batch'), { inputs: { x: 'request.x' } }) },
      outputs: { y: 'fixed.y' },
    })
    await using engine = await Engine.start(fixed)
    expect(engine.inputs.x.dims.every((dim) => dim > 0)).toBe(true)
  })
})

describe('the state of an engine', () => {
  it('is serving, then draining, then closed', async () => {
    const engine = await Engine.start(cascade)
    expect(engine.state).toBe('serving')
    const drained = engine.drain()
    expect(engine.state).toBe('draining')
    await drained
    expect(engine.state).toBe('draining')
    await engine.close()
    expect(engine.state).toBe('closed')
  })
})

describe('an engine of one stage of a pipeline', () => {
  it('answers as that model', async () => {
    await using engine = await Engine.start(stagePipeline(cascade, 'accurate'))
    const digits = readDigits().slice(0, 20)
    const right = await Promise.all(
      digits.map(async ({ pixels, label }) => {
        const { label: found } = await engine.infer({ image: pixels })
        return Number(found?.data[0]) === label
      }),
    )
    expect(right.filter(Boolean).length).toBeGreaterThan(15)
  })

  it('runs functions, of js() and inline() alike', async () => {
    const worker = new URL('./fixtures/functions-worker.js', import.meta.url)
    const whole = definePipeline({
      stages: {
        twice: inline(({ x }) => ({ y: Float32Array.from(x.data, (v) => Number(v) * 2) }), {
          inputs: { x: { from: 'request.x', type: 'float32', dims: [2] } },
          outputs: { y: { type: 'float32', dims: [2] } },
        }),
        again: js(worker, {
          export: 'doubleLater',
          inputs: { x: 'twice.y' },
          outputs: { y: { type: 'float32', dims: [2] } },
        }),
      },
      outputs: { y: 'again.y' },
    })
    await using first = await Engine.start(stagePipeline(whole, 'twice'))
    expect((await first.infer({ x: new Float32Array([1, 2]) }))['y']?.data).toEqual(
      new Float32Array([2, 4]),
    )
    await using second = await Engine.start(stagePipeline(whole, 'again'))
    expect(second.inputs).toEqual({ x: { type: 'float32', dims: [-1, 2] } })
  })
})
