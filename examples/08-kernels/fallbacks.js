// The same as the kernels, in JavaScript: what serves where there is no GPU, and what the kernels are compared with.

/**
 * @typedef {{ height: number, width: number }} Size
 * @typedef {{ data: ArrayLike<unknown> }} Values
 */

/**
 * @param {{ from: Size, to: Size, mean: readonly number[], deviation: readonly number[] }} options
 * @returns {(inputs: { image: Values }, context: { rows: number }) => { planes: Float32Array }}
 */
export function preprocess({ from, to, mean, deviation }) {
  const plane = to.height * to.width
  return ({ image }, { rows }) => {
    const planes = new Float32Array(rows * 3 * plane)
    for (let at = 0; at < planes.length; at++) {
      const start = Math.floor(at / (3 * plane)) * 3 * from.height * from.width
      const channel = Math.floor(at / plane) % 3
      const [top, bottom, down] = neighbours(
        Math.floor((at % plane) / to.width),
        from.height,
        to.height,
      )
      const [left, right, over] = neighbours(at % to.width, from.width, to.width)
      /** @param {number} y @param {number} x */
      const pixel = (y, x) => Number(image.data[start + (y * from.width + x) * 3 + channel])
      const above = pixel(top, left) * (1 - over) + pixel(top, right) * over
      const below = pixel(bottom, left) * (1 - over) + pixel(bottom, right) * over
      const value = (above * (1 - down) + below * down) / 255
      planes[at] = (value - (mean[channel] ?? 0)) / (deviation[channel] ?? 1)
    }
    return { planes }
  }
}

/** @param {number} pixel @param {number} from @param {number} to @returns {[number, number, number]} */
function neighbours(pixel, from, to) {
  const place = Math.min(Math.max(((pixel + 0.5) * from) / to - 0.5, 0), from - 1)
  const first = Math.floor(place)
  return [first, Math.min(first + 1, from - 1), place - first]
}

/**
 * @param {{ width: number, k: number }} options
 * @returns {(inputs: { scores: Values }, context: { rows: number }) => { values: Float32Array, places: Int32Array }}
 */
export function topK({ width, k }) {
  return ({ scores }, { rows }) => {
    const values = new Float32Array(rows * k)
    const places = new Int32Array(rows * k).fill(-1)
    for (let row = 0; row < rows; row++) {
      const scored = Array.from({ length: width }, (_, place) => ({
        place,
        score: Number(scores.data[row * width + place]),
      })).filter(({ score }) => !Number.isNaN(score))
      scored.sort((one, other) => other.score - one.score || one.place - other.place)
      scored.slice(0, k).forEach(({ score, place }, at) => {
        values[row * k + at] = score
        places[row * k + at] = place
      })
    }
    return { values, places }
  }
}
