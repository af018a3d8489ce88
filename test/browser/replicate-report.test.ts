// The report of a replication as a reader sees it, in a real browser.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Replication, replicate } from '../../src/replicate/replicate.ts'
import { isWithoutChromium, openChromium } from './chromium.ts'
import { type Drawn, drawnPlots } from './drawn-plots.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'))
const minutesMs = 240_000

interface Widths {
  readonly scrollWidth: number
  readonly clientWidth: number
}

// Strings, since what runs in a page has a document, and nothing else here has.
const widths =
  '(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)'
const colours = `[
  getComputedStyle(document.body).color,
  getComputedStyle(document.querySelector('.plots text')).fill,
]`
const isInView =
  "Math.abs(document.querySelector('#accuracy').getBoundingClientRect().top) < innerHeight"

describe.skipIf(isWithoutChromium)('a report in a browser', () => {
  let browser: Browser
  let replication: Replication
  const asked: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    const figures = ['slo-split', 'accuracy']
    const made = replicate({ out: folder, figures, quick: true })
    ;[browser, replication] = await Promise.all([openChromium(), made])
  }, minutesMs)

  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  async function open(width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(pathToFileURL(replication.report).href)
    return page
  }

  it.each([1280, 390])(
    'draws every plot of every figure, and cuts off no text, at %i pixels',
    async (width) => {
      const page = await open(width)
      const sections = await page.locator('h2[id]').evaluateAll((all) => all.map(({ id }) => id))
      expect(sections).toEqual(['slo-split', 'accuracy'])
      const plots = await page.evaluate<Drawn[]>(drawnPlots)
      // Three of slo-split, and three of accuracy.
      expect(plots).toHaveLength(6)
      for (const { plot, shapes, texts, ...drawn } of plots) {
        expect(plot).not.toBe('')
        expect(texts).toContain(plot)
        expect(shapes).toBeGreaterThan(4)
        expect(drawn.width).toBeGreaterThan(300)
        expect(drawn.height).toBeGreaterThan(200)
        expect({ plot, cut: drawn.cut, overlapping: drawn.overlapping }).toEqual({
          plot,
          cut: [],
          overlapping: [],
        })
      }
      await page.close()
    },
  )

  it.each([1280, 390, 320])('does not scroll sideways at %i pixels', async (width) => {
    const page = await open(width)
    const { scrollWidth, clientWidth } = await page.evaluate<Widths>(widths)
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth)
    await page.close()
  })

  it('has light letters on dark where the reader has it so, in plots as well', async () => {
    for (const [scheme, isLight] of [
      ['light', false],
      ['dark', true],
    ] as const) {
      const page = await open(1280, scheme)
      for (const colour of await page.evaluate<string[]>(colours)) {
        const [red = 0] = (colour.match(/\d+/g) ?? []).map(Number)
        expect(red > 128).toBe(isLight)
      }
      await page.close()
    }
  })

  it('leads from the table of verdicts to each figure', async () => {
    const page = await open(1280)
    await page
      .locator('table.findings')
      .first()
      .getByRole('link', { name: 'accuracy' })
      .first()
      .click()
    expect(await page.evaluate<boolean>(isInView)).toBe(true)
    await page.close()
  })

  it('asks for nothing but itself, and complains of nothing', () => {
    const itself = pathToFileURL(replication.report).href
    expect(new Set(asked.map((url) => url.split('#')[0]))).toEqual(new Set([itself]))
    expect(complaints).toEqual([])
  })
})
