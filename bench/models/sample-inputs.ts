/**
 * Inputs for the load models, as `{ type, dims, data }`: what both `engine.infer` and the `Tensor` of
 * onnxruntime-node are made of. Row `r` of a seed is the same in a batch of any size.
 */
import type { LoadModelName } from './index.ts'
import { SeededRandom } from './seeded-random.ts'

export type SampleInput =
  | { type: 'float32'; dims: number[]; data: Float32Array }
  | { type: 'int64'; dims: number[]; data: BigInt64Array }

export type SampleOptions = {
  /** Rows; 1 when absent. */
  batch?: number
  /** Tokens a row, for the encoder; 64 when absent. */
  sequence?: number
  seed?: number
}

export function sampleInputs(
  name: LoadModelName,
  options: SampleOptions = {},
): Record<string, SampleInput> {
  const { batch = 1, sequence = 64, seed = 1 } = options
  const random = new SeededRandom(seed)
  if (name === 'encoder') return tokens({ batch, sequence, random })
  if (name === 'resnet18' || name === 'resnet50') return { image: images({ batch, random }) }
  const data = Float32Array.from({ length: batch * 32 }, () => signed(random))
  return { x: { type: 'float32', dims: [batch, 32], data } }
}

/** Squares of 32 pixels of one colour: noise by the pixel would average to the same for every row. */
function images({ batch, random }: { batch: number; random: SeededRandom }): SampleInput {
  const size = 224
  const square = 32
  const squares = size / square
  const dims = [batch, 3, size, size]
  const data = new Float32Array(batch * 3 * size * size)
  for (let plane = 0; plane < batch * 3; plane++) {
    const colours = Float32Array.from({ length: squares * squares }, () => 2 * signed(random))
    for (let pixel = 0; pixel < size * size; pixel++) {
      const row = Math.floor(pixel / size / square)
      const column = Math.floor((pixel % size) / square)
      data[plane * size * size + pixel] = colours[row * squares + column] ?? 0
    }
  }
  return { type: 'float32', dims, data }
}

function signed(random: SeededRandom): number {
  return 2 * random.uniform() - 1
}

function tokens(options: {
  batch: number
  sequence: number
  random: SeededRandom
}): Record<string, SampleInput> {
  const { batch, sequence, random } = options
  const ids = new BigInt64Array(batch * sequence)
  for (let index = 0; index < ids.length; index++) ids[index] = BigInt(random.bits() % 1000)
  const mask = new BigInt64Array(batch * sequence).fill(1n)
  const dims = [batch, sequence]
  return {
    input_ids: { type: 'int64', dims, data: ids },
    attention_mask: { type: 'int64', dims: [...dims], data: mask },
  }
}
