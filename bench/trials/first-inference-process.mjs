// One side of the trial first-inference, in a process of its own: SIDE, and the URL of the published package.
import { fileURLToPath } from 'node:url'

const [, , side, packageUrl = ''] = process.argv
const models = new URL('../../examples/01-digits-cascade/models/', import.meta.url)
const [fast, accurate] = ['digits-fast.onnx', 'digits-accurate.onnx'].map((name) =>
  fileURLToPath(new URL(name, models)),
)
const image = Float32Array.from({ length: 64 }, (_, index) => index % 17)

if (side === 'millrace') await answerWithMillrace()
else await answerWithOnnxruntime()

async function answerWithMillrace() {
  /** @type {typeof import('../../dist/index.js')} */
  const { definePipeline, Engine, onnx } = await import(packageUrl)
  const cascade = definePipeline({
    stages: {
      fast: onnx(fast ?? '', { inputs: { image: 'request.image' } }),
      accurate: onnx(accurate ?? '', {
        inputs: { image: 'request.image' },
        when: { output: 'fast.confidence', below: 0.8 },
      }),
    },
    outputs: { label: ['accurate.label', 'fast.label'] },
  })
  const engine = await Engine.start(cascade)
  const { label } = await engine.infer({ image })
  console.log(String(label.data[0]))
  await engine.close()
}

async function answerWithOnnxruntime() {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const sessions = await Promise.all(
    [fast, accurate].map((path) => InferenceSession.create(path ?? '', { intraOpNumThreads: 1 })),
  )
  for (const session of sessions) {
    const { label, confidence } = await session.run({
      image: new Tensor('float32', image, [1, 1, 8, 8]),
    })
    if (session === sessions.at(-1) || Number(confidence?.data[0]) >= 0.8) {
      console.log(String(label?.data[0]))
      return
    }
  }
}
