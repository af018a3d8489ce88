import { describe, expect, it } from 'vitest'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { inline } from '../../src/pipeline/inline.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { aloneName, loneStage } from '../../src/profile/lone-stage.ts'
import { plainStages } from '../../src/profile/plain-stages.ts'
import { edgesOf, stepsOf } from '../../src/profile/profile-run.ts'
import { tapPipeline } from '../../src/profile/tapped-pipeline.ts'

const scalar = { type: 'float32', dims: [] } as const
const x = { from: 'request.x', ...scalar } as const
const work = { inputs: { x }, outputs: { y: scalar } } as const
const run = () => ({ y: 1 })

const decided: Pipeline = definePipeline({
  name: 'decided',
  stages: {
    tap: inline(run, { ...work, cache: { maxBytes: 1024 } }),
    second: inline(run, { ...work, when: { output: 'tap.y', test: Boolean } }),
  },
  outputs: { y: ['second.y', 'tap.y'] },
})

function tapped(pipeline: Pipeline) {
  return tapPipeline(pipeline, {
    record: () => {},
    untapped: new Set(),
    defaults: new Map(),
  })
}

describe('a pipeline taken apart', () => {
  it('has names that a definition takes, and no caches', () => {
    const { stages, outputs, prefix, nameHere, nameThere } = plainStages(decided)
    const decider = nameHere('second:when')
    expect(Object.keys(stages)).toEqual(['tap', decider, 'second'])
    expect(decider).toMatch(/^tap_-when-\d$/)
    expect(prefix).toBe('tap_')
    expect(nameThere(decider)).toBe('second:when')
    expect(stages['second']?.when?.output).toBe(`${decider}.holds`)
    expect(stages['tap']?.cache).toBeUndefined()
    expect(() => definePipeline({ stages, outputs } as never)).not.toThrow()
  })

  it('may be put together with a tap beside each stage, under the same condition', () => {
    const { pipeline, seen, counts } = tapped(decided)
    expect(seen.map(({ stage, level }) => [stage, level])).toEqual([
      ['tap', []],
      ['second:when', []],
      ['second', []],
    ])
    expect(counts).toEqual([])
    const [, , tap] = seen.map(({ output }) => pipeline.stages[output])
    expect(tap?.when).toEqual(pipeline.stages['second']?.when)
    expect(Object.keys(pipeline.outputs)).toEqual(['y', ...seen.map(({ output }) => output)])
  })

  it('may have too many stages for that', () => {
    const names = Array.from({ length: 33 }, (_, at) => `stage${at}`)
    const many = definePipeline({
      stages: Object.fromEntries(names.map((name) => [name, inline(run, work)])),
      outputs: Object.fromEntries(names.map((name) => [name, `${name}.y`])),
    } as never) as Pipeline
    expect(() => tapped(many)).toThrow('it needs 66 stages')
  })

  it('may be one stage alone, for every row', () => {
    const signature = {
      inputs: [{ name: 'x', type: 'float32', dims: [-1], symbols: [''] }],
      outputs: [{ name: 'y', type: 'float32', dims: [-1], symbols: [''] }],
    } as const
    const lone = loneStage(decided, {
      name: 'second',
      signature,
      variant: undefined,
      provider: 'cpu',
    })
    expect(lone).toMatchObject({ name: 'second', batched: true, mixed: false })
    expect(lone.pipeline.stages[aloneName]).toMatchObject({ kind: 'inline', fanOut: false })
    expect(lone.pipeline.stages[aloneName]?.when).toBeUndefined()
    const row = { type: 'float32', dims: [], data: Float32Array.of(1) } as const
    expect(lone.requestOf({ x: row })).toEqual({ in0: row })
  })

  it('has edges, also to the stages that decide', () => {
    expect(edgesOf(decided)).toEqual([
      ['tap', 'second:when'],
      ['second:when', 'second'],
    ])
    expect(
      stepsOf(decided, {
        tiers: ['cpu-1', 'cpu-2'],
        limits: { minRuns: 1, maxPointMs: 1, maxBatch: 4, maxAcceleratorBatch: 8 },
      }),
    ).toBe(3 * 3 * 5 + 2)
  })
})
