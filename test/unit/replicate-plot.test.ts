import { afterEach, describe, expect, it, vi } from 'vitest'
import { drawPlot } from '../../src/replicate/draw-plot.ts'
import type { Plot } from '../../src/replicate/plot.ts'
import { ink } from '../../src/replicate/plot-options.ts'
import { sheet } from '../../src/replicate/sheet.ts'
import { rejectionOf } from './thrown.ts'

const plot: Plot = {
  name: 'cost',
  title: 'cost & more',
  x: { name: 'rate (requests/s)', kind: 'category', categories: ['100', '300'] },
  y: { name: 'cost ($/h)' },
  series: [
    { name: 'optimal', kind: 'bar', points: [[0, 1], [1, 2]] }, // biome-ignore format: pairs
    { name: 'cg-mean', kind: 'line', points: [[0, 2], [1, null]] }, // biome-ignore format: pairs
  ],
  mark: { y: 1.5, text: 'half' },
}

afterEach(() => {
  vi.doUnmock('echarts')
  vi.resetModules()
})

describe('a plot', () => {
  it('has its title, its axes with their units, its series and its mark', async () => {
    const svg = await drawPlot(plot, { id: 'a' })
    for (const text of [
      'cost &amp; more',
      'rate (requests/s)',
      'cost ($/h)',
      '300',
      'optimal',
      'cg-mean',
      'half',
    ]) {
      expect(svg).toContain(`>${text}<`)
    }
  })

  it('is the same each time', async () => {
    expect(await drawPlot(plot, { id: 'a' })).toBe(await drawPlot(plot, { id: 'a' }))
  })

  it('leaves the colour of its texts to the page', async () => {
    const svg = await drawPlot(plot, { id: 'a' })
    expect(svg).not.toContain(ink)
    expect(svg).not.toMatch(/<text[^>]*fill="#/)
    expect(svg).toContain('fill="currentColor"')
  })

  it('begins its ids as it is told', async () => {
    const svg = await drawPlot({ ...plot, x: { name: 'x' } }, { id: 'fig0-cost' })
    expect(svg).not.toMatch(/zr\d+-/)
  })

  it('needs echarts, and says so', async () => {
    vi.doMock('echarts', () => {
      throw new Error('Cannot find package')
    })
    const { code, message } = await rejectionOf(() => drawPlot(plot, { id: 'a' }))
    expect(code).toBe('MILLRACE_INVALID_OPTION')
    expect(message).toMatch(/^a report: expected the package echarts.*npm install echarts/)
  })
})

describe('a sheet of plots', () => {
  it('has two side by side', () => {
    const text = sheet(['<svg width="1"/>', '<svg width="2"/>', '<svg width="3"/>'])
    expect([...text.matchAll(/<svg x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => [x, y])).toEqual([
      ['16', '16'],
      ['552', '16'],
      ['16', '392'],
    ])
    expect(text).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="1088" height="768"/)
  })
})
