// CUDA kernels of one's own as stages. README.md explains what is printed.
import { devices, Engine } from 'millrace'
import { preprocess, topK } from './fallbacks.js'
import { classes, deviation, from, k, mean, photographs, rankings, to } from './pipeline.js'

const rows = 8
const images = Uint8Array.from({ length: rows * from.height * from.width * 3 }, (_, at) => {
  return (at * 2654435761) >>> 24
})
const scores = Float32Array.from({ length: rows * classes }, (_, at) => Math.sin(at * 12.9898))

const gpu = (await devices()).devices.find(({ kind }) => kind === 'cuda')
console.log(gpu === undefined ? 'no GPU: the functions serve' : `GPU: ${gpu.name}`)
await show(photographs, { image: images }, () => {
  return preprocess({ from, to, mean, deviation })({ image: { data: images } }, { rows })
})
await show(rankings, { scores }, () =>
  topK({ width: classes, k })({ scores: { data: scores } }, { rows }),
)

/** @param {number} one @param {number} other */
function larger(one, other) {
  return Math.max(one, other)
}

/**
 * Runs a pipeline of one stage on all rows, and compares.
 *
 * @param {import('millrace').Pipeline} pipeline
 * @param {Record<string, Uint8Array | Float32Array>} inputs
 * @param {() => Record<string, ArrayLike<number>>} expected
 */
async function show(pipeline, inputs, expected) {
  const engine = await Engine.start(pipeline)
  const startMs = performance.now()
  const found = await engine.infer(inputs)
  const tookMs = performance.now() - startMs
  await engine.close()
  const [name = '', served] = Object.entries(engine.configuration)[0] ?? []
  const differences = Object.entries(expected()).map(([output, values]) => {
    const data = found[output]?.data ?? []
    return Array.from(values, (one, at) => Math.abs(one - Number(data[at]))).reduce(larger, 0)
  })
  const worst = Math.max(...differences).toExponential(1)
  console.log(
    `${name.padEnd(8)} on ${served?.tier}: ${rows} rows in ${tookMs.toFixed(1)} ms, at most ${worst} from the function`,
  )
}
