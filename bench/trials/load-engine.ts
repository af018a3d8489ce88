/** An engine that serves one of the large load models, and the request of one row to send it. */
import { definePipeline, Engine, type Overload, onnx } from '../../dist/index.js'
import { sampleInputs } from '../models/sample-inputs.ts'

const outputs = { resnet18: 'logits', resnet50: 'logits', encoder: 'embedding' }

export type LoadEngineOptions = {
  model: keyof typeof outputs
  modelPath: string
  /** Of one thread each. */
  replicas: number
  maxBatch: number
  overload?: Overload
  /** Tokens a row, for the encoder. */
  sequence?: number
}

export async function startLoadEngine({
  model,
  modelPath,
  overload,
  sequence = 64,
  ...stage
}: LoadEngineOptions) {
  const inputs = sampleInputs(model, { sequence })
  const names = Object.keys(inputs)
  const wiring = Object.fromEntries(names.map((name) => [name, `request.${name}` as const]))
  const pipeline = definePipeline({
    name: model,
    stages: { model: onnx(modelPath, { inputs: wiring }) },
    outputs: { output: `model.${outputs[model]}` },
  })
  const engine = await Engine.start(pipeline, { configuration: { model: stage }, overload })
  return { engine, inputs }
}
