// The digits example, whole, as an application that installed millrace would have it.
import { definePipeline, Engine, js } from 'millrace'
import { readDigits } from './digits.js'
import { cascade } from './pipeline.js'

/** Share of the digits read right, and what a function in a worker thread made of 2. */
export async function accuracy() {
  const digits = readDigits()
  const engine = await Engine.start(cascade)
  const results = await engine.inferMany(digits.map(({ image }) => ({ image })))
  await engine.close()
  const right = results.filter(({ label }, index) => Number(label.data[0]) === digits[index]?.label)
  return { share: right.length / digits.length, doubled: await doubled() }
}

async function doubled() {
  const value = { type: 'float32', dims: [] }
  const pipeline = definePipeline({
    stages: {
      double: js(new URL('./double.mjs', import.meta.url), {
        inputs: { x: { from: 'request.x', ...value } },
        outputs: { y: value },
      }),
    },
    outputs: { y: 'double.y' },
  })
  const engine = await Engine.start(pipeline)
  const { y } = await engine.infer({ x: new Float32Array([2]) })
  await engine.close()
  return y.data[0]
}
