// What an engine is told: configurations, plans, models to choose from.
import { Engine } from '../../../src/engine/engine.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../../src/pipeline/onnx.ts'
import type { Plan } from '../../../src/planner/plan.ts'
import { Trace } from '../../../src/workload/trace.ts'

const inputs = { image: 'request.image' } as const
const digits = definePipeline({
  stages: {
    fast: onnx('fast.onnx', { inputs }),
    accurate: onnx(
      {
        models: [
          { file: 'small.onnx', accuracy: 0.78 },
          { file: new URL('file:///large.onnx'), accuracy: 0.81, name: 'large' },
          { file: new Uint8Array(8), accuracy: 0.8, name: 'bytes' },
        ],
      },
      { inputs, when: { output: 'fast.confidence', below: 0.8 } },
    ),
  },
  outputs: { label: ['accurate.label', 'fast.label'] },
})

const engine = await Engine.start(digits, { configuration: { accurate: { model: 'large' } } })
const { configuration } = engine
const model: string | undefined = configuration.accurate.model
const batch: number = configuration.fast.maxBatch
const dims: readonly number[] = engine.inputs.image.dims
const label: string = engine.outputs.label.type
// @ts-expect-error no such input
const page = engine.inputs.page
await engine.apply(configuration)

// A plan knows the names of the stages only when the program runs.
declare const plan: Plan
await engine.apply(plan)
await engine.apply({ configuration: { fast: { maxBatch: 4 } }, pipeline: 'digits' })
const planned = await Engine.start(digits, { configuration: plan.configuration })

const { arrivalsMs } = engine.recordArrivals({ maxArrivals: 100 }).stop()
const trace = new Trace({ arrivalsMs })

// @ts-expect-error: no such stage
await engine.apply({ quick: { maxBatch: 4 } })

// @ts-expect-error: no such stage, in a plan
await engine.apply({ configuration: { quick: { maxBatch: 4 } } })

// @ts-expect-error: a model is chosen by its name
await engine.apply({ accurate: { model: 1 } })

// @ts-expect-error: an accuracy is needed to choose by
onnx({ models: [{ file: 'small.onnx' }] }, { inputs })

// @ts-expect-error: misspelt
onnx({ models: [{ file: 'small.onnx', acuracy: 0.78 }] }, { inputs })

// @ts-expect-error: it is to be stopped
engine.recordArrivals().arrivalsMs

definePipeline({
  stages: {
    // @ts-expect-error: no stage `reqest`
    fast: onnx({ models: [{ file: 'small.onnx', accuracy: 1 }] }, { inputs: { x: 'reqest.x' } }),
  },
  outputs: { label: 'fast.label' },
})
