// Finds the digits on a page: ink is told from paper, lines by the rows between them, digits by the columns between them.

/** What is smaller than this is dust, or a part of something larger that is near. */
const leastHeightPx = 12
const leastGapPx = { lines: 5, digits: 3 }
/** A row or column with less ink than this, in pixels, is empty. */
const leastInk = 2
/** Grey levels between paper and ink; with less, the page is blank. */
const leastContrast = 60

/**
 * @typedef {import('./page.js').Pixels} Pixels
 * @typedef {{ line: number, crop: Float32Array }} FoundDigit `crop` is 8 x 8, ink from 0 to 16, as the models want it.
 * @typedef {{ start: number, end: number }} Run From `start` up to and without `end`.
 * @typedef {{ top: number, bottom: number, left: number, right: number }} Box
 * @typedef {{ data: Float32Array, widthPx: number, heightPx: number }} Ink 0 is paper, 1 is ink.
 */

/** In reading order. @param {Pixels} page @returns {FoundDigit[]} */
export function findDigits(page) {
  const ink = inkOf(page)
  if (ink === undefined) return []
  const whole = { top: 0, bottom: ink.heightPx, left: 0, right: ink.widthPx }
  const lines = runs(rowSums(ink, whole), leastGapPx.lines).filter(isTall)
  return lines.flatMap(({ start: top, end: bottom }, line) =>
    digitsOf(ink, { ...whole, top, bottom }).map((box) => ({ line, crop: cropOf(ink, box) })),
  )
}

/** @param {Ink} ink @param {Box} line @returns {Box[]} from left to right */
function digitsOf(ink, line) {
  return runs(columnSums(ink, line), leastGapPx.digits).flatMap(({ start: left, end: right }) => {
    const rows = runs(rowSums(ink, { ...line, left, right }), Number.POSITIVE_INFINITY)
    return rows.filter(isTall).map(({ start, end }) => ({
      top: line.top + start,
      bottom: line.top + end,
      left,
      right,
    }))
  })
}

/** @param {Run} run */
function isTall({ start, end }) {
  return end - start >= leastHeightPx
}

/** Undefined when nothing is written on the page. @param {Pixels} page @returns {Ink | undefined} */
function inkOf({ data, widthPx, heightPx }) {
  const { dark, light } = levelsOf(data)
  if (light - dark < leastContrast) return undefined
  // Noise of the paper is not ink, and noise of the ink no lack of it.
  const scaled = (/** @type {number} */ level) => ((light - level) / (light - dark)) * 1.2 - 0.1
  const table = Float32Array.from({ length: 256 }, (_, level) =>
    Math.min(1, Math.max(0, scaled(level))),
  )
  const ink = new Float32Array(data.length)
  for (let at = 0; at < data.length; at++) ink[at] = table[data[at] ?? 0] ?? 0
  return { data: ink, widthPx, heightPx }
}

/**
 * The mean levels of ink and paper, told apart so that both vary least (Otsu's method).
 *
 * @param {Uint8Array} data
 */
export function levelsOf(data) {
  const counts = new Float64Array(256)
  for (const level of data) counts[level] = (counts[level] ?? 0) + 1
  const total = counts.reduce((sum, count, level) => sum + count * level, 0)
  let best = { dark: total / data.length, light: total / data.length, apart: 0 }
  for (let level = 0, below = 0, sumBelow = 0; level < 255; level++) {
    below += counts[level] ?? 0
    sumBelow += (counts[level] ?? 0) * level
    const above = data.length - below
    if (below === 0 || above === 0) continue
    const dark = sumBelow / below
    const light = (total - sumBelow) / above
    const apart = below * above * (light - dark) ** 2
    if (apart > best.apart) best = { dark, light, apart }
  }
  return best
}

/**
 * Stretches with ink; those less than `leastGap` apart are one.
 *
 * @param {Float32Array} sums
 * @param {number} leastGap
 * @returns {Run[]}
 */
export function runs(sums, leastGap) {
  /** @type {Run[]} */
  const found = []
  for (const [index, sum] of sums.entries()) {
    if (sum < leastInk) continue
    const last = found.at(-1)
    if (last !== undefined && index - last.end < leastGap) last.end = index + 1
    else found.push({ start: index, end: index + 1 })
  }
  return found
}

/** @param {Ink} ink @param {Box} box */
function rowSums({ data, widthPx }, { top, bottom, left, right }) {
  const sums = new Float32Array(bottom - top)
  for (let y = top; y < bottom; y++) {
    let sum = 0
    for (let x = left; x < right; x++) sum += data[y * widthPx + x] ?? 0
    sums[y - top] = sum
  }
  return sums
}

/** @param {Ink} ink @param {Box} box */
function columnSums({ data, widthPx }, { top, bottom, left, right }) {
  const sums = new Float32Array(widthPx)
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sums[x] = (sums[x] ?? 0) + (data[y * widthPx + x] ?? 0)
  }
  return sums
}

/**
 * The box in the middle of a square of 32 x 32 points, of which each block of 4 x 4 is counted: how the scans were made that
 * the models know.
 *
 * @param {Ink} ink
 * @param {Box} box
 */
function cropOf({ data, widthPx, heightPx }, { top, bottom, left, right }) {
  const pointPx = Math.max(bottom - top, right - left) / 32
  const fromX = (left + right) / 2 - 16 * pointPx
  const fromY = (top + bottom) / 2 - 16 * pointPx
  const crop = new Float32Array(64)
  for (let row = 0; row < 32; row++) {
    const y = Math.floor(fromY + (row + 0.5) * pointPx)
    if (y < 0 || y >= heightPx) continue
    for (let column = 0; column < 32; column++) {
      const x = Math.floor(fromX + (column + 0.5) * pointPx)
      if (x < left || x >= right) continue
      const block = (row >> 2) * 8 + (column >> 2)
      crop[block] = (crop[block] ?? 0) + (data[y * widthPx + x] ?? 0)
    }
  }
  return crop
}
