// The parts of example 02 that need no engine: drawing pages, finding the digits on them, judging what was read.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Digit, readDigits } from '../../examples/01-digits-cascade/digits.js'
import { seededRandom } from '../../examples/01-digits-cascade/traffic.js'
import { characterAccuracy, editDistance } from '../../examples/02-page-of-digits/accuracy.js'
import { findDigits, levelsOf, runs } from '../../examples/02-page-of-digits/find-digits.js'
import {
  blankPage,
  drawPage,
  type Page,
  writePages,
} from '../../examples/02-page-of-digits/page.js'
import segment from '../../examples/02-page-of-digits/segment.js'
import transcribe from '../../examples/02-page-of-digits/transcribe.js'

const digits = readDigits()

/** Cosine of the angle between two pictures: 1 where they are alike. */
function likeness(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

const pageTensor = (png: Uint8Array) => ({
  page: { type: 'uint8' as const, dims: [png.length], data: png },
})

/** Comparing the bytes one by one would take seconds. */
const signature = ({ png, text }: Page) => [text, createHash('sha256').update(png).digest('hex')]

describe('a page', () => {
  it('says what is written on it, line by line', () => {
    const { text } = drawPage(digits.slice(0, 14), seededRandom(1))
    const written = digits.slice(0, 14).map(({ label }) => label)
    expect(text).toBe(`${written.slice(0, 12).join('')}\n${written.slice(12).join('')}`)
  })

  it('follows from its seed', async () => {
    const options = { digits, repeats: 1, seed: 3 }
    const [pages, again, other] = await Promise.all([
      writePages(options),
      writePages(options),
      writePages({ ...options, seed: 4 }),
    ])
    expect(pages).toHaveLength(5)
    expect(again.map(signature)).toEqual(pages.map(signature))
    expect(other.map(signature)).not.toEqual(pages.map(signature))
  })

  it('is one of as many as it takes to write every digit as often', async () => {
    const pages = await writePages({ digits, repeats: 2, seed: 1 })
    const counts = (labels: string[]) => labels.sort().join('')
    const written = pages.map(({ text }) => text.replaceAll('\n', '')).join('')
    const all = [...digits, ...digits].map(({ label }) => String(label))
    expect(counts([...written])).toBe(counts(all))
  })
})

describe('finding digits', () => {
  it.each([1, 2, 3, 4, 5])('finds each of a full page, in its line (page %i)', (seed) => {
    const found = findDigits(drawPage(digits.slice(0, 48), seededRandom(seed)))
    expect(found.map(({ line }) => line)).toEqual(
      digits.slice(0, 48).map((_, i) => Math.floor(i / 12)),
    )
  })

  it('keeps the reading order: crops look like the scans they were drawn from', () => {
    const shuffled = [...digits.slice(100, 148)].reverse()
    const found = findDigits(drawPage(shuffled, seededRandom(7)))
    const alike = found.map(({ crop }, index) => likeness(crop, imageOf(shuffled, index)))
    expect(Math.min(...alike)).toBeGreaterThan(0.6)
    expect(alike.reduce((sum, value) => sum + value, 0) / alike.length).toBeGreaterThan(0.9)
  })

  it('gives crops of 8 x 8 with ink from 0 to 16', () => {
    const [found] = findDigits(drawPage(digits.slice(0, 1), seededRandom(1)))
    expect(found?.crop).toHaveLength(64)
    expect(Math.min(...(found?.crop ?? []))).toBe(0)
    expect(Math.max(...(found?.crop ?? []))).toBeLessThanOrEqual(16)
  })

  it('finds none on a blank page, for noise is not ink', () => {
    expect(findDigits(drawPage([], seededRandom(1)))).toEqual([])
  })

  it.each([
    ['white', 255],
    ['black', 0],
  ])('finds none on a page that is all %s', (_colour, level) => {
    const data = new Uint8Array(100).fill(level)
    expect(findDigits({ data, widthPx: 10, heightPx: 10 })).toEqual([])
  })

  it('passes over dust', () => {
    const page = drawPage(digits.slice(0, 3), seededRandom(1))
    for (const row of [0, 1, 2, 3]) page.data.fill(0, row * page.widthPx, row * page.widthPx + 4)
    expect(findDigits(page)).toHaveLength(3)
  })

  it('tells ink from paper by their levels', () => {
    const { dark, light } = levelsOf(Uint8Array.of(40, 42, 44, 230, 232, 234, 236))
    expect([dark, light]).toEqual([42, 233])
  })

  it('joins stretches of ink with little between them', () => {
    const sums = Float32Array.of(0, 5, 5, 0, 5, 0, 0, 0, 5)
    expect(runs(sums, 2)).toEqual([
      { start: 1, end: 5 },
      { start: 8, end: 9 },
    ])
  })
})

describe('the stages', () => {
  it('turn a PNG into a crop and a line for each digit', async () => {
    const [page] = await writePages({ digits, repeats: 1, seed: 1 })
    const { crops, lines } = await segment(pageTensor(page?.png ?? new Uint8Array()))
    expect(crops.dims).toEqual([48, 1, 8, 8])
    expect(crops.data).toHaveLength(48 * 64)
    expect(lines.data.at(-1)).toBe(3)
  })

  it('turn a blank page into no crops, and these into no text', async () => {
    const { crops, lines } = await segment(pageTensor((await blankPage(1)).png))
    expect(crops.dims).toEqual([0, 1, 8, 8])
    const labels = { type: 'int64' as const, dims: [0], data: new BigInt64Array() }
    expect(transcribe({ labels, lines: { ...lines, type: 'int32' } })).toEqual({ text: '' })
  })

  it('refuse what is no picture', async () => {
    await expect(segment(pageTensor(Uint8Array.of(1, 2, 3)))).rejects.toThrow('unsupported image')
  })

  it('break the text where the lines do', () => {
    const labels = { type: 'int64' as const, dims: [4], data: BigInt64Array.of(1n, 2n, 3n, 4n) }
    const lines = { type: 'int32' as const, dims: [4], data: Int32Array.of(0, 0, 1, 3) }
    expect(transcribe({ labels, lines })).toEqual({ text: '12\n3\n4' })
  })
})

describe('accuracy', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['123', '123', 0],
    ['123', '153', 1],
    ['123', '13', 1],
    ['123', '1234', 1],
    ['kitten', 'sitting', 3],
  ])('counts the edits from "%s" to "%s"', (from, to, edits) => {
    expect(editDistance(from, to)).toBe(edits)
  })

  it('is the share of written characters that need no edit', () => {
    const pages = [
      { written: '12345', read: '12345' },
      { written: '12345', read: '1245' },
    ]
    expect(characterAccuracy(pages)).toBeCloseTo(0.9)
  })
})

function imageOf(some: readonly Digit[], index: number): Float32Array {
  return some[index]?.image.data ?? new Float32Array()
}
