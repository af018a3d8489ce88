import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkProfile } from '../../src/profile/check-profile.ts'
import type { Profile, ProfilePoint, StageProfile } from '../../src/profile/profile.ts'
import { readProfile } from '../../src/profile/read-profile.ts'
import { writeProfile } from '../../src/profile/write-profile.ts'
import { errorOf, rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-profile-'))
const anew = 'correct the file, or have it written anew with: millrace profile'

function stageOf(points: readonly ProfilePoint[]): StageProfile {
  return { scaleFactor: 1, tiers: { 'cpu-1': { points } } }
}

const fast = stageOf([
  { batch: 1, meanMs: 2, p99Ms: 3 },
  { batch: 4, meanMs: 6, p99Ms: 5 },
])
const minimal: Profile = {
  version: 1,
  pipeline: 'digits',
  stages: { fast, accurate: { ...fast, scaleFactor: 0.25 } },
  edges: [['fast', 'accurate']],
}

/** Everything the format has. */
const full: Profile = {
  version: 1,
  pipeline: 'page',
  stages: {
    find: { ...fast, kind: 'js', fanOut: true },
    read: {
      scaleFactor: 4,
      kind: 'onnx',
      models: {
        'models/small.onnx': {
          accuracy: 0.9,
          tiers: {
            'cpu-2': {
              points: [
                {
                  batch: 1,
                  meanMs: 2,
                  p99Ms: 4,
                  p50Ms: 1.9,
                  quantilesMs: [1.8, 1.9, 4],
                  runs: 100,
                },
              ],
              modelMb: 12,
              replicaMb: 0.5,
            },
          },
        },
        large: { accuracy: 0.95, tiers: fast.tiers ?? {} },
      },
    },
    join: { ...fast, kind: 'inline', gather: 'find' },
  },
  edges: [
    ['find', 'read'],
    ['read', 'join'],
  ],
  paths: [
    {
      share: 3,
      visits: ['find', 'join'],
      items: {
        find: [
          { times: 2, visits: ['read'] },
          { times: 1, visits: [] },
        ],
      },
    },
    { share: 1, rows: [{ times: 2, visits: ['find', 'join'], items: { find: [] } }] },
  ],
  overhead: { requestMs: 0.05, hopMs: 0, loopMs: 0.02, answerMs: 0.01 },
  contention: [
    { busyThreads: 1, slowdown: 1 },
    { busyThreads: 4, slowdown: 1.8 },
  ],
  timeSharing: { cores: 2, sliceMs: 4 },
  machine: { cpu: 'a processor', cores: 2, memoryMb: 4096, platform: 'linux-x64' },
  measured: {
    date: '2026-11-25T10:00:00.000Z',
    millrace: '0.1.0',
    node: '20.19.0',
    onnxruntime: '1.30.0',
    samples: 64,
  },
  source: 'a test',
}

const refusal = (value: unknown) => errorOf(() => checkProfile(value, 'x.json')).message
const withPoints = (...points: readonly ProfilePoint[]) => ({
  ...minimal,
  stages: { fast: stageOf(points) },
  edges: [],
})
const point = (batch: number, meanMs: number): ProfilePoint => ({ batch, meanMs, p99Ms: 9 })

describe('a profile', () => {
  it('may be as small as its stages and edges', () => {
    expect(checkProfile(minimal, 'x')).toBe(minimal)
  })

  it('may hold all that the format has', () => {
    expect(checkProfile(full, 'x')).toBe(full)
  })

  it('is read back as it was written', async () => {
    const path = join(folder, 'full.json')
    await writeProfile(path, full)
    expect(await readProfile(path)).toEqual(full)
    expect(readFileSync(path, 'utf8')).toContain('"accuracy": 0.9,\n')
  })

  it('is not written when it could not be read back', async () => {
    const path = join(folder, 'bad.json')
    const bad = withPoints(point(1, Number.NaN)) as Profile
    expect((await rejectionOf(() => writeProfile(path, bad))).message).toBe(
      `profile: stages.fast.tiers.cpu-1.points[0].meanMs: expected a number above 0, got the number NaN; ${anew}`,
    )
    expect((await rejectionOf(() => readProfile(path))).message).toContain('no such file')
  })

  it('may keep what stage and tier names objects inherit', () => {
    const stages = { constructor: fast, toString: stageOf([point(1, 1)]) }
    expect(checkProfile({ ...minimal, stages, edges: [] }, 'x')).toBeDefined()
  })

  it('that was cut off says where', async () => {
    const path = join(folder, 'cut.json')
    writeFileSync(path, JSON.stringify(minimal).slice(0, 60))
    const { message, code } = await rejectionOf(() => readProfile(path))
    expect(code).toBe('MILLRACE_INVALID_FILE')
    expect(message).toContain(`${path}: it ends too early, at line 1, column `)
    expect(message).toContain(anew)
  })
})

describe('a profile is refused', () => {
  it.each<[string, unknown, string]>([
    [
      'without a stage',
      { ...minimal, stages: {}, edges: [] },
      'stages: expected at least one entry, got none',
    ],
    [
      'without tiers',
      { ...minimal, stages: { fast: { scaleFactor: 1 } } },
      'stages.fast: expected exactly one of the keys "tiers" and "models", got an object with scaleFactor',
    ],
    [
      'with both tiers and models',
      {
        ...minimal,
        stages: { fast: { ...fast, models: { a: { accuracy: 1, tiers: fast.tiers } } } },
      },
      'stages.fast: expected exactly one of the keys "tiers" and "models", got an object with scaleFactor, tiers, models',
    ],
    [
      'with a scale factor of 0',
      { ...minimal, stages: { fast: { ...fast, scaleFactor: 0 } } },
      'stages.fast.scaleFactor: expected a number above 0, got the number 0',
    ],
    [
      'with a text for a number',
      withPoints({ batch: 1, meanMs: 'a' as unknown as number, p99Ms: 1 }),
      'stages.fast.tiers.cpu-1.points[0].meanMs: expected a number above 0, got the string "a"',
    ],
    [
      'with infinite times',
      withPoints({ batch: 1, meanMs: 1, p99Ms: Number.POSITIVE_INFINITY }),
      'stages.fast.tiers.cpu-1.points[0].p99Ms: expected a number above 0, got the number Infinity',
    ],
    [
      'without points',
      withPoints(),
      'stages.fast.tiers.cpu-1.points: expected an array of at least 1, got an array of 0',
    ],
    [
      'without a point of batch 1',
      withPoints(point(2, 1)),
      'stages.fast.tiers.cpu-1.points[0].batch: expected 1 for the first point, got 2',
    ],
    [
      'with batches out of order',
      withPoints(point(1, 1), point(4, 2), point(2, 2)),
      'points[2].batch: expected more than 4, the batch of the point before it, got 2',
    ],
    [
      'with a batch twice',
      withPoints(point(1, 1), point(1, 1)),
      'points[1].batch: expected more than 1, the batch of the point before it, got 1',
    ],
    [
      'with a larger batch that takes less time',
      withPoints(point(1, 4), point(4, 3)),
      'points[1].meanMs: expected at least 4, the mean at batch 1, got 3 at batch 4; leave one of the two points out, or measure longer',
    ],
    [
      'with a larger batch of no use',
      withPoints(point(1, 1), point(2, 1.5), point(4, 3.2)),
      'points[2].meanMs: expected at most 3, 2 times the mean at batch 2, got 3.2: a row takes longer at batch 4; leave the larger batch out',
    ],
    [
      'with quantiles that fall',
      withPoints({ ...point(1, 1), quantilesMs: [1, 3, 2] }),
      'points[0].quantilesMs[2]: expected at least 3, which comes before it, got 2',
    ],
    [
      'with an edge to nowhere',
      { ...minimal, edges: [['fast', 'acurate']] },
      'edges[0][1]: there is no stage "acurate"; did you mean "accurate"?',
    ],
    [
      'with an edge of three',
      { ...minimal, edges: [['fast', 'accurate', 'fast']] },
      'edges[0]: expected an array of 2, got an array of 3',
    ],
    [
      'with an edge twice',
      { ...minimal, edges: [...minimal.edges, ...minimal.edges] },
      'edges[1]: expected each edge once, got that of edges[0] again',
    ],
    [
      'with a cycle',
      {
        ...minimal,
        edges: [
          ['fast', 'accurate'],
          ['accurate', 'fast'],
        ],
      },
      'edges: expected no cycle, got fast -> accurate -> fast',
    ],
    [
      'with a stage that waits for itself',
      { ...minimal, edges: [['fast', 'fast']] },
      'edges: expected no cycle, got fast -> fast',
    ],
    [
      'that gathers no fan-out',
      { ...minimal, stages: { fast, accurate: { ...fast, gather: 'fast' } } },
      'stages.accurate.gather: expected a stage with fanOut, got "fast"; there are none',
    ],
    [
      'that gathers what comes later',
      { ...full, edges: [['join', 'find']] },
      'stages.join.gather: expected a stage that this one waits for, got "find"; lead edges from "find" to "join"',
    ],
    [
      'with paths of no weight',
      { ...minimal, paths: [{ share: 0, visits: ['fast'] }] },
      'paths[0].share: expected a number above 0, got the number 0',
    ],
    [
      'with a path that visits nothing known',
      { ...minimal, paths: [{ share: 1, visits: ['fast', 'slow'] }] },
      'paths[0].visits[1]: there is no stage "slow"; there are: "fast", "accurate"',
    ],
    [
      'with a path that visits a stage twice',
      { ...minimal, paths: [{ share: 1, visits: ['fast', 'fast'] }] },
      'paths[0].visits: expected no item twice, got "fast" again',
    ],
    [
      'with a path without visits',
      { ...minimal, paths: [{ share: 1 }] },
      'paths[0]: expected exactly one of the keys "visits" and "rows", got an object with share',
    ],
    [
      'with items beside rows',
      { ...full, paths: [{ share: 1, rows: [{ times: 1, visits: [] }], items: {} }] },
      'paths[0].items: expected no items beside rows',
    ],
    [
      'with items of no fan-out',
      { ...full, paths: [{ share: 1, visits: ['join'], items: { join: [] } }] },
      'paths[0].items.join: expected items of a stage with fanOut that is visited, got those of "join"',
    ],
    [
      'with items of what is not visited',
      { ...full, paths: [{ share: 1, visits: ['join'], items: { find: [] } }] },
      'paths[0].items.find: expected items of a stage',
    ],
    [
      'with items that visit nothing known',
      {
        ...full,
        paths: [{ share: 1, visits: ['find'], items: { find: [{ times: 1, visits: ['raed'] }] } }],
      },
      'paths[0].items.find[0].visits[0]: there is no stage "raed"; did you mean "read"?',
    ],
    [
      'with slices of no length',
      { ...minimal, timeSharing: { cores: 2, sliceMs: 0 } },
      'timeSharing.sliceMs: expected a number at least 0.001, got the number 0',
    ],
    [
      'with contention from two threads on',
      { ...minimal, contention: [{ busyThreads: 2, slowdown: 1 }] },
      'contention[0].busyThreads: expected 1 for the first entry, got 2',
    ],
    [
      'with contention out of order',
      { ...full, contention: [...(full.contention ?? []), { busyThreads: 4, slowdown: 2 }] },
      'contention[2].busyThreads: expected more than 4, those before it, got 4',
    ],
    [
      'with contention that eases',
      { ...full, contention: [...(full.contention ?? []), { busyThreads: 8, slowdown: 1.5 }] },
      'contention[2].slowdown: expected at least 1.8, that of fewer threads, got 1.5',
    ],
    [
      'with sharing that eases',
      {
        ...minimal,
        sharing: {
          webgpu: [
            { busyReplicas: 1, slowdown: 1 },
            { busyReplicas: 2, slowdown: 2 },
            { busyReplicas: 4, slowdown: 1.5 },
          ],
        },
      },
      'sharing.webgpu[2].slowdown: expected at least 2, that of fewer replicas, got 1.5',
    ],
    [
      'with sharing from two replicas on',
      { ...minimal, sharing: { webgpu: [{ busyReplicas: 2, slowdown: 1 }] } },
      'sharing.webgpu[0].busyReplicas: expected 1 for the first entry, got 2',
    ],
    ['with an unknown key', { ...minimal, edgs: [] }, 'unknown key "edgs"; did you mean "edges"?'],
    [
      'of a newer Millrace',
      { ...minimal, version: 2, more: true },
      'version: expected 1, got 2: it was written by a newer Millrace; update millrace',
    ],
    ['that is no object', [minimal], 'expected an object, got an array of 1'],
  ])('%s', (_what, value, message) => {
    expect(refusal(value).startsWith('x.json: ')).toBe(true)
    expect(refusal(value)).toContain(message)
  })

  it('exactly when its edges form a cycle', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const stages = Object.fromEntries(names.map((name) => [name, fast]))
    const pairs = names.flatMap((from) => names.map((to) => [from, to] as const))
    let seed = 1
    const draw = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    for (let round = 0; round < 300; round++) {
      const edges = pairs.filter(() => draw() < 0.15)
      const found = isRefused({ ...minimal, stages, edges })
      expect([edges, found]).toEqual([edges, !canBeOrdered(names, edges)])
    }
  })

  it('when items are nested deeper than can be followed', () => {
    let items: unknown = []
    for (let depth = 0; depth < 20_000; depth++)
      items = [{ times: 1, visits: [], items: { find: items } }]
    const value = { ...full, paths: [{ share: 1, visits: ['find'], items: { find: items } }] }
    expect(refusal(value)).toContain('it is nested too deeply')
  })
})

function isRefused(value: unknown): boolean {
  try {
    checkProfile(value, 'x')
    return false
  } catch {
    return true
  }
}

/** By taking away, again and again, what nothing leads to. */
function canBeOrdered(names: readonly string[], edges: Profile['edges']): boolean {
  const next = names.find((name) => !edges.some(([, to]) => to === name))
  if (next === undefined) return names.length === 0
  return canBeOrdered(
    names.filter((name) => name !== next),
    edges.filter(([from]) => from !== next),
  )
}
