// A replication as a whole, with the figure that takes least time.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { figureNames } from '../../src/replicate/figures.ts'
import { type Replication, replicate } from '../../src/replicate/replicate.ts'
import { rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-replicate-'))
afterAll(() => rmSync(folder, { recursive: true }))

const small = { figures: ['slo-split'], quick: true }
const out = join(folder, 'first', 'report')
const read = (from: string, name: string) => readFileSync(join(from, name), 'utf8')
const files = ['report.html', 'slo-split.json', 'slo-split.svg']

let first: Replication
beforeAll(async () => {
  first = await replicate({ out, ...small })
})

describe('a replication', () => {
  it('writes one page, and the data and the plots of each figure', () => {
    expect(readdirSync(out).sort()).toEqual(files)
    expect(first.report).toBe(join(out, 'report.html'))
    const [figure] = first.figures
    expect(figure).toMatchObject({ name: 'slo-split', resumed: false, isMeasured: false })
    expect(figure?.findings[0]?.verdict).toBe('confirmed')
  })

  it('gives the same bytes for the same seed', async () => {
    const again = join(folder, 'again')
    await replicate({ out: again, ...small })
    for (const name of files) expect(read(again, name)).toBe(read(out, name))
  })

  it('gives other data for another seed', async () => {
    const other = join(folder, 'other')
    await replicate({ out: other, ...small, seed: 2 })
    expect(read(other, 'slo-split.json')).not.toBe(read(out, 'slo-split.json'))
  })

  it('does not run again what is there with the same settings', async () => {
    const told: unknown[] = []
    const resumed = await replicate({ out, ...small, onProgress: (each) => told.push(each) })
    expect(told).toEqual([])
    expect(resumed.figures).toEqual(first.figures.map((each) => ({ ...each, resumed: true })))
  })

  it.each([
    ['of another seed', '"seed": 1', '"seed": 7'],
    ['of other code', '"code": "', '"code": "0'],
    ['cut off', '"settings"', '{'],
  ])('runs anew what is %s', async (_what, before, after) => {
    const changed = mkdtempSync(join(folder, 'changed-'))
    const text = read(out, 'slo-split.json')
    writeFileSync(join(changed, 'slo-split.json'), text.replace(before, after))
    const { figures } = await replicate({ out: changed, ...small })
    expect(figures.map(({ resumed }) => resumed)).toEqual([false])
    expect(read(changed, 'slo-split.json')).toBe(text)
  })

  it('shows figures from before that were not asked for now', async () => {
    const { figures, stale } = await replicate({ out, figures: [], quick: true })
    expect(figures.map(({ name }) => name)).toEqual(['slo-split'])
    expect(stale).toEqual([])
  })

  it('leaves out those of other code or settings, and says which', async () => {
    const other = mkdtempSync(join(folder, 'stale-'))
    writeFileSync(join(other, 'slo-split.json'), read(out, 'slo-split.json'))
    const { figures, stale } = await replicate({ out: other, figures: [], quick: true, seed: 9 })
    expect(figures).toEqual([])
    expect(stale).toEqual(['slo-split'])
  })

  it('tells how far it is', async () => {
    const told: string[] = []
    const onProgress = ({
      figure,
      done,
      total,
    }: {
      figure: string
      done: number
      total: number
    }) => {
      told.push(`${figure} ${done}/${total}`)
    }
    await replicate({ out: join(folder, 'told'), ...small, onProgress })
    expect(told).toEqual(['slo-split 0/2', 'slo-split 1/2'])
  })

  it('ends when it is cancelled, and leaves no file of what was not finished', async () => {
    const stopped = join(folder, 'stopped')
    const controller = new AbortController()
    const { code } = await rejectionOf(() =>
      replicate({
        out: stopped,
        ...small,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    )
    expect(code).toBe('MILLRACE_CANCELLED')
    expect(readdirSync(stopped)).toEqual([])
  })

  it.each([
    ['a figure that there is not', { out, figures: ['fig55'] }, /^figures: .*"fig5"\?/],
    ['a seed that is none', { out, seed: -1 }, /^seed: expected an integer/],
    ['no folder', { out: '' }, /^out: expected a string/],
  ])('refuses %s', async (_what, options, message) => {
    const { code, message: said } = await rejectionOf(() => replicate(options))
    expect(said).toMatch(message)
    expect(code).toBe('MILLRACE_INVALID_OPTION')
  })

  it('refuses a folder that is a file', async () => {
    const { code } = await rejectionOf(() => replicate({ out: join(out, 'report.html'), ...small }))
    expect(code).toBe('MILLRACE_INVALID_FILE')
  })
})

describe('the page', () => {
  it('needs nothing else: no address but the name of the SVG language', () => {
    const addresses = read(out, 'report.html').match(/https?:[^"' <)]*/g) ?? []
    expect([...new Set(addresses)]).toEqual(['http://www.w3.org/2000/svg'])
    expect(read(out, 'report.html')).not.toMatch(/<(script|link|img|iframe)\b|url\((?!#)/)
  })

  it('has its plots in it, whose texts take the colour of the page', () => {
    const page = read(out, 'report.html')
    expect(page.match(/<svg /g)).toHaveLength(3)
    expect(page).toContain('fill="currentColor"')
    expect(page).toContain('prefers-color-scheme: dark')
  })

  it('has no id twice', () => {
    const ids = [...read(out, 'report.html').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('says what was published, what was found, and the verdict', () => {
    const page = read(out, 'report.html')
    for (const { claim, verdict } of first.figures[0]?.findings ?? []) {
      expect(page).toContain(claim)
      expect(page).toContain(`>${verdict}</span>`)
    }
  })
})

describe('the figures', () => {
  it('are those of the paper, and of this project', () => {
    expect(figureNames).toEqual([
      'fig3',
      'fig5',
      'fig6',
      'fig7',
      'fig8',
      'fig9',
      'attribution',
      'slo-split',
      'accuracy',
    ])
  })
})
