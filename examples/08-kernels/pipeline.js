// Two kernels as stages, each with a function that does the same where there is no GPU.
import { readFileSync } from 'node:fs'
import { cuda, definePipeline } from 'millrace'
import { preprocess, topK } from './fallbacks.js'

export const from = { height: 480, width: 640 }
export const to = { height: 224, width: 224 }
export const classes = 1000
export const k = 5
export const mean = [0.485, 0.456, 0.406]
export const deviation = [0.229, 0.224, 0.225]
const threads = 128

/** @param {string} name */
const kernelText = (name) => readFileSync(new URL(name, import.meta.url), 'utf8')

/** @param {readonly number[]} numbers */
const floats = (numbers) => numbers.map((one) => `${one}f`).join(', ')

export const photographs = definePipeline({
  name: 'photographs',
  stages: {
    prepare: cuda(kernelText('preprocess.cu'), {
      kernel: 'preprocess',
      inputs: {
        image: { from: 'request.image', type: 'uint8', dims: [from.height, from.width, 3] },
      },
      outputs: { planes: { type: 'float32', dims: [3, to.height, to.width] } },
      grid: 64,
      defines: {
        IN_HEIGHT: from.height,
        IN_WIDTH: from.width,
        OUT_HEIGHT: to.height,
        OUT_WIDTH: to.width,
        MEAN: floats(mean),
        STD: floats(deviation),
      },
      fallback: preprocess({ from, to, mean, deviation }),
    }),
  },
  outputs: { planes: 'prepare.planes' },
})

export const rankings = definePipeline({
  name: 'rankings',
  stages: {
    rank: cuda(kernelText('top-k.cu'), {
      kernel: 'top_k',
      inputs: { scores: { from: 'request.scores', type: 'float32', dims: [classes] } },
      outputs: {
        values: { type: 'float32', dims: [k] },
        places: { type: 'int32', dims: [k] },
      },
      block: threads,
      defines: { WIDTH: classes, K: k, THREADS: threads },
      fallback: topK({ width: classes, k }),
    }),
  },
  outputs: { values: 'rank.values', places: 'rank.places' },
})
