import { describe, expect, it } from 'vitest'
import { describePipeline } from '../../src/estimator/simulated-pipeline.ts'
import type { PathProfile, Profile } from '../../src/profile/profile.ts'
import { profileOf, stage } from './estimator-profiles.ts'
import { errorOf } from './thrown.ts'

const once = stage({ 1: 1 })
const fan = stage({ 1: 1 }, { fanOut: true })

describe('the order of stages', () => {
  it('is that of the profile where edges allow it', () => {
    const profile = profileOf(
      { d: once, b: once, a: once, c: once },
      {
        edges: [
          ['a', 'b'],
          ['b', 'c'],
        ],
      },
    )
    const { stages, spec } = describePipeline(profile)
    expect(stages).toEqual(['d', 'a', 'b', 'c'])
    expect(spec.stages.map(({ predecessors }) => predecessors)).toEqual([[], [], [1], [2]])
  })

  it('puts what gathers after the fan-out', () => {
    const profile = profileOf(
      { join: { ...once, gather: 'split' }, split: fan },
      { paths: [{ share: 1, visits: ['split', 'join'] }] },
    )
    const { stages, spec } = describePipeline(profile)
    expect(stages).toEqual(['split', 'join'])
    expect(spec.stages[1]).toEqual({ predecessors: [], fanOut: false, gather: 0 })
  })

  it('counts an edge that is given twice once', () => {
    const edge = ['a', 'b'] as const
    const { spec } = describePipeline(profileOf({ a: once, b: once }, { edges: [edge, edge] }))
    expect(spec.stages[1]?.predecessors).toEqual([0])
  })
})

describe('paths from scale factors alone', () => {
  it('are one where every stage always runs', () => {
    const profile = profileOf({ a: once, b: once }, { edges: [['a', 'b']] })
    expect(pathsOf(profile)).toEqual({ 'a b': 1 })
  })

  it('branch independently, each in the share it has where its predecessors ran', () => {
    const profile = profileOf(
      {
        a: { ...once, scaleFactor: 0.5 },
        b: { ...once, scaleFactor: 0.25 },
        c: { ...once, scaleFactor: 0.5 },
      },
      {
        edges: [
          ['a', 'b'],
          ['a', 'c'],
        ],
      },
    )
    const expected = { '': 0.5, 'a b c': 0.25, 'a c': 0.25 }
    expect(pathsOf(profile)).toEqual(expected)
  })

  it('let what joins branches run where any of them did', () => {
    const profile = profileOf(
      {
        a: { ...once, scaleFactor: 0.5 },
        b: { ...once, scaleFactor: 0.5 },
        join: { ...once, scaleFactor: 0.75 },
      },
      {
        edges: [
          ['a', 'join'],
          ['b', 'join'],
        ],
      },
    )
    const expected = { '': 0.25, 'a join': 0.25, 'b join': 0.25, 'a b join': 0.25 }
    expect(pathsOf(profile)).toEqual(expected)
  })

  it('run a stage as often as the whole numbers next to a scale factor above 1', () => {
    const profile = profileOf(
      { a: { ...once, scaleFactor: 0.5 }, b: { ...once, scaleFactor: 1.25 } },
      { edges: [['a', 'b']] },
    )
    expect(pathsOf(profile)).toEqual({ '': 0.5, 'a bx2': 0.25, 'a bx3': 0.25 })
  })

  it('come to the scale factors on average', () => {
    const profile = profileOf(
      { a: { ...once, scaleFactor: 0.7 }, b: { ...once, scaleFactor: 2.2 } },
      { edges: [['a', 'b']] },
    )
    const { a, b } = describePipeline(profile).visitsPerRequest
    expect(a).toBeCloseTo(0.7, 9)
    expect(b).toBeCloseTo(2.2, 9)
  })

  it('are some thousands at most, and still come near the scale factors', () => {
    const names = Array.from({ length: 40 }, (_, at) => `s${at}`)
    const stages = Object.fromEntries(names.map((name) => [name, { ...once, scaleFactor: 0.9 }]))
    const { spec, visitsPerRequest } = describePipeline(profileOf(stages))
    expect(spec.paths.length).toBeLessThanOrEqual(4096)
    for (const visits of Object.values(visitsPerRequest)) expect(visits).toBeGreaterThan(0.89)
  })

  it('leave out a stage that never runs', () => {
    const never = { ...once, scaleFactor: 0 }
    const profile = profileOf({ a: never, b: never }, { edges: [['a', 'b']] })
    expect(pathsOf(profile)).toEqual({ '': 1 })
  })
})

describe('paths of a profile', () => {
  const pages = {
    page: fan,
    line: { ...once, scaleFactor: 2.5 },
    join: { ...once, gather: 'page' },
  }
  const edges: Profile['edges'] = [
    ['page', 'line'],
    ['line', 'join'],
  ]

  it('hold items before what opens them, equal ones once', () => {
    const items = (times: number) => ({ page: [{ times, visits: ['line'] }] })
    const visits = ['join', 'page']
    const profile = profileOf(pages, {
      edges,
      paths: [
        { share: 1, visits, items: items(4) },
        { share: 1, visits, items: items(1) },
      ],
    })
    const { spec, visitsPerRequest } = describePipeline(profile)
    const both = [
      [0, 1],
      [2, 1],
    ]
    expect(spec.paths).toEqual([
      { share: 0, visits: [[1, 1]], items: [] },
      { share: 1, visits: both, items: [[0, 4, 0]] },
      { share: 1, visits: both, items: [[0, 1, 0]] },
    ])
    expect(visitsPerRequest).toEqual({ page: 1, line: 2.5, join: 1 })
  })

  it('nest', () => {
    const nested = profileOf(
      {
        page: fan,
        line: { ...fan, scaleFactor: 2 },
        word: { ...once, scaleFactor: 6 },
      },
      {
        edges: [
          ['page', 'line'],
          ['line', 'word'],
        ],
        paths: [
          {
            share: 1,
            visits: ['page'],
            items: {
              page: [
                { times: 2, visits: ['line'], items: { line: [{ times: 3, visits: ['word'] }] } },
              ],
            },
          },
        ],
      },
    )
    expect(describePipeline(nested).spec.paths).toEqual([
      { share: 0, visits: [[2, 1]], items: [] },
      { share: 0, visits: [[1, 1]], items: [[1, 3, 0]] },
      { share: 1, visits: [[0, 1]], items: [[0, 2, 1]] },
    ])
  })

  it('may be rows of a request', () => {
    const profile = profileOf(
      { a: { ...once, scaleFactor: 3 }, b: once },
      {
        edges: [['a', 'b']],
        paths: [
          {
            share: 5,
            rows: [
              { times: 2, visits: ['a'] },
              { times: 0, visits: [] },
              { times: 1, visits: ['a', 'b'] },
            ],
          },
        ],
      },
    )
    expect(describePipeline(profile).spec.paths.at(-1)).toEqual({
      share: 5,
      visits: [],
      items: [
        [-1, 2, 0],
        [-1, 1, 1],
      ],
    })
  })

  it.each<[string, readonly PathProfile[], RegExp]>([
    [
      'an unknown stage',
      [{ share: 1, visits: ['lime'] }],
      /visits an unknown stage "lime"; did you/,
    ],
    [
      'a stage of items',
      [{ share: 1, visits: ['page', 'line'] }],
      /visits "line" once for each row of a request, but it runs for each item of "page"/,
    ],
    [
      'a stage twice',
      [{ share: 1, visits: ['page', 'join', 'page'] }],
      /paths\[0\] visits "page" twice/,
    ],
    [
      'items of what is no fan-out',
      [{ share: 1, visits: ['page', 'join'], items: { join: [] } }],
      /has items of "join", which is no fan-out/,
    ],
    [
      'items of what is not visited',
      [{ share: 1, visits: [], items: { page: [] } }],
      /has items of "page", which it does not visit/,
    ],
    [
      'items half a time',
      [{ share: 1, visits: ['page'], items: { page: [{ times: 0.5, visits: ['line'] }] } }],
      /paths\[0\]\.items\.page\[0\]\.times: expected an integer of at least 0, got the number 0\.5/,
    ],
    ['rows and visits', [{ share: 1, rows: [], visits: [] }], /has rows and visits/],
    ['no share', [{ share: 0, visits: [] }], /none of its paths has a share above 0/],
    ['a negative share', [{ share: -1, visits: [] }], /paths\[0\]\.share: expected a number/],
    [
      'other scale factors',
      [{ share: 1, visits: ['page', 'join'] }],
      /line\.scaleFactor is 2\.5, but by its paths the stage runs 0 times a request/,
    ],
  ])('cannot have %s', (_, paths, message) => {
    const error = errorOf(() => describePipeline(profileOf(pages, { edges, paths })))
    expect(error.code).toBe('MILLRACE_INVALID_FILE')
    expect(error.message).toMatch(message)
    expect(error.message).toMatch(/^profile of "test": .*; /)
  })
})

describe('a profile', () => {
  it.each<[string, Profile, RegExp]>([
    ['no stage', profileOf({}), /it has no stages/],
    [
      'an edge to an unknown stage',
      profileOf({ fast: once }, { edges: [['fast', 'fost']] }),
      /the edge from "fast" to "fost" names a stage that it does not have; did you mean "fast"/,
    ],
    [
      'a cycle',
      profileOf(
        { a: once, b: once, c: once },
        {
          edges: [
            ['b', 'c'],
            ['c', 'b'],
          ],
        },
      ),
      /its edges form a cycle among "b", "c"/,
    ],
    [
      'a fan-out without paths',
      profileOf({ page: fan }),
      /"page" is a fan-out, but there are no paths that say how many items it makes; add paths/,
    ],
    [
      'a stage that runs without what it waits for',
      profileOf({ a: { ...once, scaleFactor: 0 }, b: once }, { edges: [['a', 'b']] }),
      /stage "b" runs 1 times a request, but nothing that it waits for ever runs/,
    ],
    [
      'a scale factor that is no number',
      profileOf({ a: { ...once, scaleFactor: Number.NaN } }),
      /stages\.a\.scaleFactor: expected a number of at least 0, got the number NaN/,
    ],
    [
      'gather of an unknown stage',
      profileOf({ a: { ...once, gather: 'b' } }),
      /stage "a" gathers items of "b", a stage that it does not have/,
    ],
    [
      'gather of what is no fan-out',
      profileOf({ a: once, b: { ...once, gather: 'a' } }, { edges: [['a', 'b']] }),
      /gathers items of "a", which is no fan-out; give "a" fanOut: true/,
    ],
    [
      'a stage between two fan-outs',
      profileOf(
        { a: fan, b: fan, c: once },
        {
          edges: [
            ['a', 'c'],
            ['b', 'c'],
          ],
        },
      ),
      /stage "c" waits for items of "b" and of "a", which have nothing to do with each other/,
    ],
    [
      'a gathering stage that waits for other items',
      profileOf(
        { a: fan, b: fan, c: { ...once, gather: 'a' } },
        {
          edges: [
            ['a', 'c'],
            ['b', 'c'],
          ],
        },
      ),
      /stage "c" gathers items of "a", but waits for items of "b" as well/,
    ],
    [
      'negative overhead',
      profileOf({ a: once }, { overhead: { requestMs: 0, hopMs: 0, loopMs: -1 } }),
      /overhead\.loopMs: expected a finite number at least 0, got the number -1/,
    ],
    [
      'contention that does not ascend',
      profileOf(
        { a: once },
        {
          contention: [
            { busyThreads: 2, slowdown: 1 },
            { busyThreads: 2, slowdown: 2 },
          ],
        },
      ),
      /contention\[1\]\.busyThreads: expected an integer from 3 to/,
    ],
  ])('cannot have %s', (_, profile, message) => {
    const error = errorOf(() => describePipeline(profile))
    expect(error.code).toBe('MILLRACE_INVALID_FILE')
    expect(error.message).toMatch(message)
  })

  it('slows down linearly between what was measured, from 1 at one thread', () => {
    const contention = [
      { busyThreads: 3, slowdown: 1.5 },
      { busyThreads: 5, slowdown: 2.5 },
    ]
    const { spec } = describePipeline(profileOf({ a: once }, { contention }))
    expect(spec.slowdown).toEqual([1, 1.25, 1.5, 2, 2.5])
  })

  it('never speeds up with more threads', () => {
    const contention = [
      { busyThreads: 1, slowdown: 1.25 },
      { busyThreads: 2, slowdown: 1 },
    ]
    const { spec } = describePipeline(profileOf({ a: once }, { contention }))
    expect(spec.slowdown).toEqual([1.25, 1.25])
  })
})

/** The share of each path of requests, by what it visits: 'a bx2'. */
function pathsOf(profile: Profile): Record<string, number> {
  const { stages, spec } = describePipeline(profile)
  return Object.fromEntries(
    spec.paths.map(({ share, visits }) => {
      const names = visits.map(([at, times]) => `${stages[at]}${times > 1 ? `x${times}` : ''}`)
      return [names.join(' '), share] as const
    }),
  )
}
