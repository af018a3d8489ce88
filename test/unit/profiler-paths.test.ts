import { describe, expect, it } from 'vitest'
import { PathCounter, runLengths, type Sightings } from '../../src/profile/paths.ts'
import type { Tap } from '../../src/profile/tapped-pipeline.ts'

function tap(stage: string, ...level: string[]): Tap {
  return { stage, output: `saw ${stage}`, level }
}

function count(stage: string, ...level: string[]): Tap {
  return { stage, output: `counted ${stage}`, level }
}

const cascade = { seen: [tap('fast'), tap('accurate')], counts: [] }
const page = {
  seen: [tap('segment'), tap('fast', 'segment'), tap('accurate', 'segment'), tap('transcribe')],
  counts: [count('segment')],
}

function pathsOf(
  taps: ConstructorParameters<typeof PathCounter>[0],
  ...requests: readonly (readonly [rows: number, sightings: Sightings])[]
) {
  const counter = new PathCounter(taps)
  for (const [rows, sightings] of requests) counter.add(rows, sightings)
  return counter.result()
}

describe('the paths of requests', () => {
  it('that visit the same stages are one, with how many there were', () => {
    const unsure = { 'saw fast': [1], 'saw accurate': [1] }
    const sure = { 'saw fast': [1], 'saw accurate': [0] }
    const { paths, visits, requests } = pathsOf(cascade, [1, sure], [1, unsure], [1, sure])
    expect(paths).toEqual([
      { share: 2, visits: ['fast'] },
      { share: 1, visits: ['fast', 'accurate'] },
    ])
    expect(requests).toBe(3)
    expect(Object.fromEntries(visits)).toEqual({ fast: 3, accurate: 1 })
  })

  it('of several rows hold these in their order, equal neighbours as one', () => {
    const rows = { 'saw fast': [1, 1, 1, 1], 'saw accurate': [0, 0, 1, 0] }
    const { paths, visits } = pathsOf(cascade, [4, rows])
    expect(paths).toEqual([
      {
        share: 1,
        rows: [
          { times: 2, visits: ['fast'] },
          { times: 1, visits: ['fast', 'accurate'] },
          { times: 1, visits: ['fast'] },
        ],
      },
    ])
    expect(Object.fromEntries(visits)).toEqual({ fast: 4, accurate: 1 })
  })

  it('hold the items of a fan-out, none of a row that has none', () => {
    const outer = { 'saw segment': [1, 1], 'saw transcribe': [1, 1], 'counted segment': [3, 0] }
    const items = { 'saw fast': [1, 1, 1], 'saw accurate': [0, 1, 1] }
    const { paths, visits } = pathsOf(page, [2, { ...outer, ...items }])
    const row = ['segment', 'transcribe']
    expect(paths[0]?.rows).toEqual([
      {
        times: 1,
        visits: row,
        items: {
          segment: [
            { times: 1, visits: ['fast'] },
            { times: 2, visits: ['fast', 'accurate'] },
          ],
        },
      },
      { times: 1, visits: row, items: { segment: [] } },
    ])
    expect(visits.get('accurate')).toBe(2)
  })

  it('hold no items of a fan-out stage that was passed over', () => {
    const seen = { 'saw segment': [0], 'saw transcribe': [0], 'counted segment': [-1] }
    const { paths } = pathsOf(page, [1, { ...seen, 'saw fast': [], 'saw accurate': [] }])
    expect(paths).toEqual([{ share: 1, visits: [] }])
  })

  it('hold the items of items', () => {
    const nested = {
      seen: [tap('split'), tap('parts', 'split'), tap('work', 'split', 'parts')],
      counts: [count('split'), count('parts', 'split')],
    }
    const { paths } = pathsOf(nested, [
      1,
      {
        'saw split': [1],
        'counted split': [3],
        'saw parts': [1, 0, 1],
        'counted parts': [2, -1, 1],
        'saw work': [1, 0, 1],
      },
    ])
    expect(paths[0]?.items?.['split']).toEqual([
      {
        times: 1,
        visits: ['parts'],
        items: {
          parts: [
            { times: 1, visits: ['work'] },
            { times: 1, visits: [] },
          ],
        },
      },
      { times: 1, visits: [] },
      { times: 1, visits: ['parts'], items: { parts: [{ times: 1, visits: ['work'] }] } },
    ])
  })

  it('count only neighbours together', () => {
    const [a, b] = [{ visits: ['a'] }, { visits: ['b'] }]
    expect(runLengths([a, a, b, a])).toEqual([
      { times: 2, visits: ['a'] },
      { times: 1, visits: ['b'] },
      { times: 1, visits: ['a'] },
    ])
    expect(runLengths([])).toEqual([])
  })
})
