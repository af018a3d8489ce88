// Pages to read: the real scans of example 01, written in lines on slightly noisy paper. One seed gives one set of pages.
import sharp from 'sharp'
import { seededRandom } from '../01-digits-cascade/traffic.js'

/** How a page looks, in pixels. A scan is drawn about four times as large as it is. */
const layout = {
  lines: 4,
  digitsPerLine: 12,
  marginPx: 24,
  lineHeightPx: 56,
  sizePx: { least: 30, most: 38 },
  gapPx: { least: 5, most: 18 },
  offsetPx: { least: -4, most: 4 },
}
const paper = { level: 238, noise: 4 }
const ink = { level: 45, noise: 12 }

export const digitsPerPage = layout.lines * layout.digitsPerLine

/**
 * @typedef {object} Page
 * @property {Uint8Array} png
 * @property {string} text What is written on it, its lines separated by newlines.
 *
 * @typedef {object} Pixels Grey values, row by row: 0 is black, 255 white.
 * @property {Uint8Array} data
 * @property {number} widthPx
 * @property {number} heightPx
 *
 * @typedef {import('../01-digits-cascade/digits.js').Digit} Digit
 * @typedef {() => number} Random Uniform in [0, 1).
 */

/**
 * As many pages as it takes to write every digit `repeats` times, in random order.
 *
 * @param {{ digits: Digit[], repeats: number, seed: number }} options
 * @returns {Promise<Page[]>}
 */
export async function writePages({ digits, repeats, seed }) {
  const random = seededRandom(seed)
  const written = Array.from({ length: repeats }, () => shuffled(digits, random)).flat()
  const pages = []
  for (let start = 0; start + digitsPerPage <= written.length; start += digitsPerPage) {
    const { text, ...pixels } = drawPage(written.slice(start, start + digitsPerPage), random)
    pages.push({ text, png: await encode(pixels) })
  }
  return pages
}

/** @param {number} seed @returns {Promise<Page>} */
export async function blankPage(seed) {
  const { text, ...pixels } = drawPage([], seededRandom(seed))
  return { text, png: await encode(pixels) }
}

/**
 * @param {readonly Digit[]} digits In reading order, at most `digitsPerPage`.
 * @param {Random} random
 * @returns {Pixels & { text: string }}
 */
export function drawPage(digits, random) {
  const { lines, digitsPerLine, marginPx, lineHeightPx, sizePx, gapPx, offsetPx } = layout
  const widthPx = 2 * marginPx + digitsPerLine * (sizePx.most + gapPx.most)
  const heightPx = 2 * marginPx + lines * lineHeightPx
  const darkness = new Float32Array(widthPx * heightPx)
  const text = []
  for (let line = 0; line < lines; line++) {
    const inLine = digits.slice(line * digitsPerLine, (line + 1) * digitsPerLine)
    text.push(inLine.map(({ label }) => label).join(''))
    let leftPx = marginPx
    for (const { image } of inLine) {
      const side = between(sizePx, random)
      const topPx = marginPx + line * lineHeightPx + 8 + between(offsetPx, random)
      write({ scan: image.data, darkness, widthPx, leftPx, topPx, side })
      leftPx += side + between(gapPx, random)
    }
  }
  return { data: onPaper(darkness, random), widthPx, heightPx, text: text.join('\n').trim() }
}

/**
 * Scans count the ink in blocks of 4 x 4 pixels of a black and white picture; this draws strokes that would be counted alike:
 * between the middles of the blocks ink varies evenly, and it shows where it is more than half, with a soft edge.
 *
 * @param {{ scan: Float32Array, darkness: Float32Array, widthPx: number, leftPx: number, topPx: number, side: number }} where
 */
function write({ scan, darkness, widthPx, leftPx, topPx, side }) {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const inked = inkAt(scan, ((x + 0.5) * 8) / side - 0.5, ((y + 0.5) * 8) / side - 0.5) / 16
      darkness[(topPx + y) * widthPx + leftPx + x] = Math.min(1, Math.max(0, inked * 2 - 0.5))
    }
  }
}

/** Ink between the middles of blocks, 0 to 16. @param {Float32Array} scan @param {number} x @param {number} y */
function inkAt(scan, x, y) {
  const column = Math.floor(x)
  const row = Math.floor(y)
  const right = x - column
  const down = y - row
  const at = (/** @type {number} */ r, /** @type {number} */ c) =>
    r < 0 || c < 0 || r > 7 || c > 7 ? 0 : (scan[r * 8 + c] ?? 0)
  return (
    (1 - down) * ((1 - right) * at(row, column) + right * at(row, column + 1)) +
    down * ((1 - right) * at(row + 1, column) + right * at(row + 1, column + 1))
  )
}

/** @param {Float32Array} darkness 0 is paper, 1 is ink. @param {Random} random */
function onPaper(darkness, random) {
  const data = new Uint8Array(darkness.length)
  for (const [at, dark] of darkness.entries()) {
    const level = paper.level + (ink.level - paper.level) * dark
    const noise = paper.noise + (ink.noise - paper.noise) * dark
    data[at] = Math.min(255, Math.max(0, level + (2 * random() - 1) * noise))
  }
  return data
}

/** @param {Pixels} pixels @returns {Promise<Uint8Array>} */
function encode({ data, widthPx, heightPx }) {
  return sharp(data, { raw: { width: widthPx, height: heightPx, channels: 1 } })
    .png({ compressionLevel: 6 })
    .toBuffer()
}

/** A whole number. @param {{ least: number, most: number }} range @param {Random} random */
function between({ least, most }, random) {
  return least + Math.floor(random() * (most - least + 1))
}

/** @template T @param {readonly T[]} items @param {Random} random */
function shuffled(items, random) {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
