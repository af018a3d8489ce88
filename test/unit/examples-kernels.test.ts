// Example 08: the functions that stand in for the kernels, and the example itself, on whatever machine this is.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { preprocess, topK } from '../../examples/08-kernels/fallbacks.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the function in place of preprocess.cu', () => {
  const from = { height: 2, width: 2 }
  const to = { height: 4, width: 4 }
  const prepare = preprocess({ from, to, mean: [0, 0.5, 0], deviation: [1, 1, 0.5] })

  it('enlarges as ONNX Resize does, and takes the channels apart', () => {
    // ONNX's example of a linear Resize with a scale of 2.
    const enlarged = [
      1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
    ]
    const image = Uint8Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)
    const { planes } = prepare({ image: { data: image } }, { rows: 1 })
    const expected = [
      ...enlarged.map((value) => value / 255),
      ...enlarged.map((value) => value / 255 - 0.5),
      ...enlarged.map((value) => value / 255 / 0.5),
    ]
    expected.forEach((value, at) => {
      expect(planes[at]).toBeCloseTo(value, 6)
    })
  })

  it('keeps rows apart', () => {
    const image = new Uint8Array(24).fill(51, 12)
    const { planes } = prepare({ image: { data: image } }, { rows: 2 })
    expect(planes[0]).toBe(0)
    expect(planes[48]).toBeCloseTo(0.2, 6)
  })
})

describe('the function in place of top-k.cu', () => {
  it('finds the largest of each row, the first of equal ones first, and never NaN', () => {
    const scores = Float32Array.of(
      3,
      Number.NaN,
      7,
      7,
      1,
      -1,
      Number.NaN,
      Number.NaN,
      5,
      Number.NaN,
    )
    const { values, places } = topK({ width: 5, k: 3 })({ scores: { data: scores } }, { rows: 2 })
    expect([...values]).toEqual([7, 7, 3, 5, -1, 0])
    expect([...places]).toEqual([2, 3, 0, 3, 0, -1])
  })
})

it('example 08-kernels says what served, and agrees with the functions', async () => {
  const { stdout } = await run(process.execPath, ['examples/08-kernels/main.js'], { cwd: root })
  const [device = '', ...stages] = stdout.trim().split('\n')
  expect(device).toMatch(/^(GPU: .+|no GPU: the functions serve)$/)
  expect(stages).toHaveLength(2)
  for (const line of stages) {
    expect(line).toMatch(
      /^(prepare|rank) +on (cuda|cpu-1): 8 rows in [\d.]+ ms, at most \d\.\de[-+]\d+/,
    )
    expect(Number(/at most (\S+)/.exec(line)?.[1])).toBeLessThan(1e-4)
  }
})
