// The pipelines that these tests serve, each with a model made for one purpose.
import { readFileSync } from 'node:fs'
import { definePipeline, onnx } from '../../src/index.ts'

export function modelFile(name: string): URL {
  return new URL(`../models/${name}.onnx`, import.meta.url)
}

function exampleFile(path: string): URL {
  return new URL(`../../examples/01-digits-cascade/${path}`, import.meta.url)
}

export function digitsModel(name: 'fast' | 'accurate'): URL {
  return exampleFile(`models/digits-${name}.onnx`)
}

export const accurateModel = exampleFile('models/digits-accurate.onnx')

const image = { inputs: { image: 'request.image' } } as const
const fast = onnx(exampleFile('models/digits-fast.onnx'), image)
const accurate = onnx(exampleFile('models/digits-accurate.onnx'), image)

export const fastAlone = definePipeline({ stages: { fast }, outputs: { label: 'fast.label' } })

export const accurateAlone = definePipeline({
  stages: { accurate },
  outputs: { label: 'accurate.label' },
})

/** The accurate model runs only where the fast one is unsure. */
export const cascade = definePipeline({
  name: 'digits',
  stages: {
    fast,
    accurate: onnx(exampleFile('models/digits-accurate.onnx'), {
      ...image,
      when: { output: 'fast.confidence', below: 0.8 },
    }),
  },
  outputs: {
    label: ['accurate.label', 'fast.label'],
    confidence: ['accurate.confidence', 'fast.confidence'],
  },
})

export interface Digit {
  readonly label: number
  readonly pixels: Float32Array
}

/** 240 images of 8 x 8 that neither model was trained on. */
export function readDigits(): readonly Digit[] {
  const [, ...lines] = readFileSync(exampleFile('data/test.csv'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [label = Number.NaN, ...pixels] = line.split(',').map(Number)
    return { label, pixels: Float32Array.from(pixels) }
  })
}

/** One request for some digits, a row each. */
export function imagesOf(digits: readonly Digit[]) {
  const data = new Float32Array(digits.length * 64)
  for (const [row, { pixels }] of digits.entries()) data.set(pixels, row * 64)
  return { image: { type: 'float32', dims: [digits.length, 1, 8, 8], data } } as const
}

/** x [batch, 4] of an element type, handed back. */
export function identityOf(type: string) {
  return definePipeline({
    stages: { same: onnx(modelFile(`identity-${type}`), { inputs: { x: 'request.x' } }) },
    outputs: { y: 'same.y' },
  })
}

/** Runs for about as many microseconds as it is told to count; serves one row at a time. */
export const slow = definePipeline({
  stages: { slow: onnx(modelFile('slow'), { inputs: { iterations: 'request.iterations' } }) },
  outputs: { sum: 'slow.sum' },
})

/** Runs far longer than any test waits for. */
export const endless = { iterations: BigInt64Array.of(10n ** 12n) }

/** Runs for some milliseconds, more on a busy machine. */
export function slowly(milliseconds: number) {
  return { iterations: BigInt64Array.of(BigInt(milliseconds) * 1000n) }
}

/** One row at a time on one replica, so that what comes second waits. */
export const oneByOne = { slow: { replicas: 1, maxBatch: 1 } } as const

/** The square of an index from 0 to 9; any other index fails its batch. */
export const gather = definePipeline({
  stages: { gather: onnx(modelFile('gather'), { inputs: { index: 'request.index' } }) },
  outputs: { square: 'gather.square' },
})
