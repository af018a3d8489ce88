import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Digit
 * @property {number} label What the image shows, 0 to 9.
 * @property {import('millrace').Tensor<'float32'>} image One row: [1, 1, 8, 8], grey values 0 to 16.
 */

/** The 240 test images, which neither model was trained on. @returns {Digit[]} */
export function readDigits() {
  const csv = readFileSync(new URL('data/test.csv', import.meta.url), 'utf8')
  const lines = csv.trim().split('\n').slice(1)
  return lines.map((line) => {
    const [label = Number.NaN, ...pixels] = line.split(',').map(Number)
    return {
      label,
      image: { type: 'float32', dims: [1, 1, 8, 8], data: Float32Array.from(pixels) },
    }
  })
}
