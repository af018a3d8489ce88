// The work of the js-stage trial, little enough that what is measured is everything around it: the sum
// of a row of 64 floats. The same for our stage and for tinypool's tasks.

/**
 * A stage with `batched: true`: all rows at once.
 *
 * @param {{ x: { data: Float32Array } }} inputs
 * @param {{ rows: number }} context
 */
export function sums({ x }, { rows }) {
  const length = x.data.length / rows
  const sum = new Float32Array(rows)
  for (let row = 0; row < rows; row++) sum[row] = sumOf(x.data, row * length, length)
  return { sum }
}

/**
 * A task of tinypool: one row.
 *
 * @param {Float32Array} x
 */
export function sumOfOne(x) {
  return sumOf(x, 0, x.length)
}

/**
 * @param {Float32Array} data
 * @param {number} from
 * @param {number} length
 */
function sumOf(data, from, length) {
  let sum = 0
  for (let at = from; at < from + length; at++) sum += data[at] ?? 0
  return sum
}
