import { definePipeline, Engine, type InferOptions, MillraceError, onnx } from 'millrace'

const pipeline = definePipeline({
  objective: { latencyMs: 20, percentile: 99 },
  stages: {
    fast: onnx(new URL('./models/digits-fast.onnx', import.meta.url), {
      inputs: { image: 'request.image' },
    }),
  },
  outputs: { label: 'fast.label' },
})
const options: InferOptions = { deadlineMs: 2000 }
await using engine = await Engine.start(pipeline)
const { label } = await engine.infer({ image: new Float32Array(64) }, options)
const digit: number = Number(label.data[0])
// @ts-expect-error: it has no such input
await engine.infer({ picture: new Float32Array(64) }).catch((error: unknown) => {
  if (!MillraceError.is(error)) throw error
})
console.log(JSON.stringify({ digit }))
