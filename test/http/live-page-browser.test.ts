// The live page in a real Chromium, of a real engine that is profiled, planned and tuned.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import { livePage } from '../../src/http/live-page.ts'
import { isChromiumMissing, launchChromium } from './chromium.ts'
import { type NodeServer, serveHandler } from './node-server.ts'
import { digits, planDigits, TunedDigits } from './tuned-digits.ts'

/** A browser says so on its console, too; this one by name. */
const reportViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('violation of ' + event.violatedDirective + ': ' + event.blockedURI)
})`

/** A snapshot comes five times a second; a busy machine may take its time to draw it. */
const patience = { timeout: 20_000 }
const hostile = '<img src=x onerror=alert(1)>'

describe.skipIf(isChromiumMissing)('the live page in a browser', () => {
  let browser: Browser
  let tuned: TunedDigits
  let other: Engine<typeof digits>
  let server: NodeServer

  beforeAll(async () => {
    browser = await launchChromium()
    tuned = await TunedDigits.start(await planDigits())
    other = await Engine.start(digits)
    server = await serveHandler(pageOf())
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await tuned?.[Symbol.asyncDispose]()
    await other?.close()
  })

  function pageOf() {
    return livePage({ engines: { digits: tuned.watched, [hostile]: other }, intervalMs: 200 })
  }

  /** The page, and all that it asked for and complained of. */
  async function open(options: BrowserContextOptions = {}, url = server.url) {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const seen = { requests: [] as string[], problems: [] as string[] }
    page.on('request', (request) => seen.requests.push(request.url()))
    page.on('console', (message) => {
      if (message.type() !== 'log') seen.problems.push(message.text())
    })
    page.on('pageerror', (error) => seen.problems.push(error.message))
    await page.addInitScript({ content: reportViolations })
    await page.goto(url)
    await page.locator('#connection[data-state=live]').waitFor()
    return { page, seen, [Symbol.asyncDispose]: () => context.close() }
  }

  async function cell(
    page: Page,
    {
      table,
      row,
      column,
    }: { readonly table: string; readonly row: string; readonly column: string },
  ): Promise<string | undefined> {
    const found = page.locator(`[aria-label="${table}"] table`)
    const titles = await found.locator('thead th').allTextContents()
    const name = page.locator(`th:text-is("${row}")`)
    const line = found.locator('tbody tr').filter({ has: name })
    return (await line.locator('th, td').allTextContents())[titles.indexOf(column)]
  }

  it('shows what the engine counts, and goes on doing so', async () => {
    await using shown = await open()
    const completed = () =>
      cell(shown.page, { table: 'Requests by outcome', row: 'Completed', column: 'Since start' })
    for (const requests of [30, 1000]) {
      await tuned.infer(requests)
      const wanted = tuned.engine.stats().requests.completed.toLocaleString('en-US')
      await expect.poll(completed, patience).toBe(wanted)
    }
    const { stages } = tuned.engine.stats()
    for (const stage of ['fast', 'accurate'] as const) {
      const replicas = await cell(shown.page, { table: 'Stages', row: stage, column: 'Replicas' })
      expect(replicas).toBe(String(stages[stage].replicas))
    }
    const planned = tuned.planned.plan.configuration['fast']?.replicas
    expect(
      await cell(shown.page, {
        table: 'Predicted beside measured',
        row: 'fast: replicas',
        column: 'Predicted',
      }),
    ).toBe(String(planned))
    expect(await shown.page.locator('.graph').textContent()).toContain('confidence below 0.8')
  })

  it('shows rows that wait, and changes with who asked for them', async () => {
    await using shown = await open()
    const waiting = () => cell(shown.page, { table: 'Stages', row: 'fast', column: 'Waiting' })
    const { replicas } = tuned.engine.configuration.fast
    await tuned.engine.scale('fast', 0)
    const requests = tuned.infer(7)
    await expect.poll(waiting, patience).toBe('7')
    expect(await shown.page.locator('.graph').textContent()).toContain('7 wait')
    await tuned.engine.scale('fast', replicas)
    await requests
    await expect.poll(waiting, patience).toBe('0')
    const log = await shown.page.locator('.log').textContent()
    expect(log).toContain(`fast ${replicas} to 0`)
    expect(log).toContain(`fast 0 to ${replicas}`)
  })

  it('shows what the tuner decides, once and with its reason', async () => {
    await using shown = await open()
    const decided = new Promise<string>((resolve) => {
      tuned.tuner.on('scale', ({ reason }) => resolve(reason))
    })
    tuned.tuner.start()
    try {
      // Far more at once than any window of the plan holds.
      await tuned.infer(600)
      const [why = ''] = (await decided).split(' -> ')
      await expect
        .poll(() => shown.page.locator('.log .why').first().textContent(), patience)
        .toContain(why)
      expect(await shown.page.locator('.log').textContent()).toContain('▲ tuner, up')
    } finally {
      await tuned.tuner.stop()
    }
  })

  it('asks its own server alone, and breaks no rule of its policy', async () => {
    await using shown = await open()
    await expect.poll(() => shown.page.locator('.chart .line').count(), patience).toBeGreaterThan(3)
    await shown.page.locator('#theme').click()
    expect(shown.seen.problems).toEqual([])
    const addresses = shown.seen.requests.filter((url) => !url.startsWith('data:'))
    expect(addresses.filter((url) => !url.startsWith(server.url))).toEqual([])
  })

  it('shows names as they are, whatever they hold', async () => {
    await using shown = await open()
    await shown.page.locator('nav a').nth(1).click()
    await expect.poll(() => shown.page.locator('h2').textContent(), patience).toBe(hostile)
    expect(await shown.page.locator('img').count()).toBe(0)
    expect(shown.seen.problems).toEqual([])
  })

  it('follows the colours of the system, and the reader', async () => {
    const paper = (page: Page) =>
      page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    await using light = await open({ colorScheme: 'light' })
    await using dark = await open({ colorScheme: 'dark' })
    expect(await paper(light.page)).not.toBe(await paper(dark.page))
    const button = dark.page.locator('#theme')
    await button.click()
    expect(await button.textContent()).toBe('Theme: light')
    expect(await paper(dark.page)).toBe(await paper(light.page))
  })

  it.each([390, 1280])('has no more than %i pixels where there are no more', async (width) => {
    await using shown = await open({ viewport: { width, height: 844 } })
    await shown.page.locator('.graph svg').waitFor()
    const wide = await shown.page.evaluate<number>('document.documentElement.scrollWidth')
    expect(wide).toBeLessThanOrEqual(width)
  })

  it('says that the connection is lost, and takes it up again', async () => {
    const first = await serveHandler(pageOf())
    await using shown = await open({}, first.url)
    await first.close()
    await shown.page.locator('#connection[data-state=lost]').waitFor()
    await using _second = await serveHandler(pageOf(), { port: first.port })
    await shown.page.locator('#connection[data-state=live]').waitFor()
  })

  it('says that the engines were closed', async () => {
    const engine = await Engine.start(digits)
    await using own = await serveHandler(livePage({ engines: { engine }, intervalMs: 200 }))
    await using shown = await open({}, own.url)
    await engine.close()
    await shown.page.locator('#connection[data-state=ended]').waitFor()
  })

  it('is sent below the mount point where the slash is missing', async () => {
    await using shown = await open({}, server.url.slice(0, -1))
    expect(shown.page.url()).toBe(server.url)
  })
})
