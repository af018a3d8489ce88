// `request.millrace` where the application says which engines it has.
import type { FastifyRequest } from 'fastify'
import type { Engines, RequestEngines } from '../../../src/http/fastify.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../../src/pipeline/onnx.ts'

const digits = definePipeline({
  stages: { fast: onnx('fast.onnx', { inputs: { image: 'request.image' } as const }) },
  outputs: { label: 'fast.label' },
})
const texts = definePipeline({
  stages: { encoder: onnx('encoder.onnx', { inputs: { ids: 'request.ids' } as const }) },
  outputs: { embedding: 'encoder.embedding' },
})

// As `declare module 'millrace/fastify'` fills it.
interface Declared {
  default: typeof digits
  texts: typeof texts
}
declare const engines: RequestEngines<Declared>

const { label } = await engines.infer({ image: new Float32Array(64) })
const data = label.data
const { embedding } = await engines.infer(
  { ids: new BigInt64Array(8) },
  { engine: 'texts', deadlineMs: 50, priority: 'high' },
)
// @ts-expect-error an input of the other engine
await engines.infer({ ids: new BigInt64Array(8) })
// @ts-expect-error no engine of that name
await engines.infer({ ids: new BigInt64Array(8) }, { engine: 'text' })
// @ts-expect-error no output of the pipeline
const { logits } = await engines.infer({ image: new Float32Array(64) })
// @ts-expect-error the adapter passes these on by itself
await engines.infer({ image: new Float32Array(64) }, { traceHeaders: {} })

// Where nothing is declared, any inputs go, and any name.
declare const request: FastifyRequest
const undeclared: Engines = {}
const anything = await request.millrace.infer({ x: new Float32Array(4) }, { engine: 'whichever' })
const maybe = anything['y']?.data
