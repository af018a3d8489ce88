import { afterAll, describe, expect, it } from 'vitest'
import { hardware, plan, profile, trace } from './files.ts'
import { documentOf, millrace, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())

interface Files {
  readonly profile?: unknown
  readonly hardware?: unknown
  readonly plan?: unknown
  readonly trace?: unknown
  readonly traceName?: string
  readonly slo?: string
}

let written = 0

/** The arguments that name these files; what is not given is as it should be. */
function filesOf(given: Files): { readonly common: string[]; readonly plan: string } {
  const files = { profile, hardware, plan, trace, traceName: 'trace.json', slo: '100', ...given }
  const of = (name: string, content: unknown) => folder.write(`${written++}-${name}`, content)
  const common = ['--profile', of('profile.json', files.profile)]
  common.push('--hardware', of('hardware.json', files.hardware))
  common.push('--trace', of(files.traceName, files.trace), '--slo', files.slo)
  return { common, plan: of('plan.json', files.plan) }
}

const points = (change: object) => ({
  ...profile,
  stages: {
    only: {
      scaleFactor: 1,
      tiers: { 'cpu-1': { points: [{ batch: 1, meanMs: 1, p99Ms: 1, ...change }] } },
    },
  },
  edges: [],
})

const bad: readonly (readonly [what: string, files: Files, message: RegExp])[] = [
  [
    'a profile without a stage',
    { profile: { ...profile, stages: {}, edges: [] } },
    /profile\.json: stages: /,
  ],
  [
    'a profile with an unknown key',
    { profile: { ...profile, stage: {} } },
    /profile\.json: .*"stage".*"stages"/,
  ],
  [
    'a profile of a later version',
    { profile: { ...profile, version: 2 } },
    /profile\.json: version: .*2/,
  ],
  [
    'a profile without a version',
    { profile: { ...profile, version: undefined } },
    /profile\.json: version/,
  ],
  ['a service time below 0', { profile: points({ meanMs: -1 }) }, /profile\.json: .*meanMs.*-1/],
  [
    'a service time that is NaN',
    { profile: JSON.stringify(points({ meanMs: 7 })).replace('7', 'NaN') },
    /profile\.json/,
  ],
  [
    'an edge from nowhere',
    { profile: { ...profile, edges: [['slow', 'accurate']] } },
    /profile\.json: .*slow/,
  ],
  [
    'a tier without a price',
    { hardware: { ...hardware, tiers: { 'cpu-1': { kind: 'cpu' } } } },
    /hardware\.json: .*cpu-1.*pricePerHour/,
  ],
  [
    'hardware of a later version',
    { hardware: { ...hardware, version: 9 } },
    /hardware\.json: version: .*9/,
  ],
  ['hardware that is a list', { hardware: [] }, /hardware\.json: /],
  ['an empty trace', { trace: { ...trace, arrivalsMs: [] } }, /trace\.json[:,] .*arriv/],
  [
    'arrivals out of order',
    { trace: { ...trace, arrivalsMs: [3, 1] } },
    /trace\.json[:,] arrivalsMs\[1\]/,
  ],
  [
    'an arrival before the start',
    { trace: { ...trace, arrivalsMs: [-1, 1] } },
    /trace\.json[:,] arrivalsMs\[0\]/,
  ],
  [
    'an arrival that is NaN',
    { trace: '{"version": 1, "arrivalsMs": [1, NaN], "meta": {}}' },
    /trace\.json[:,] /,
  ],
  [
    'an arrival that is no number',
    { trace: { ...trace, arrivalsMs: [1, '2'] } },
    /trace\.json[:,] /,
  ],
  [
    'a line that is no number',
    { trace: '1\n2\nNaN\n', traceName: 'trace.txt' },
    /trace\.txt[:,] .*line 3|trace\.txt:3/,
  ],
  ['lines without an arrival', { trace: '\n\n', traceName: 'trace.txt' }, /trace\.txt[:,] /],
  [
    'a trace with an unknown key',
    { trace: { ...trace, arrivals: [] } },
    /trace\.json[:,] .*"arrivals"/,
  ],
  [
    'a trace of a later version',
    { trace: { ...trace, version: 3 } },
    /trace\.json[:,] version: .*3/,
  ],
  ['a trace that is cut off', { trace: JSON.stringify(trace).slice(0, 200) }, /trace\.json[:,] /],
  [
    'a profile that is cut off',
    { profile: JSON.stringify(profile).slice(0, 200) },
    /profile\.json: .*(end|cut)/,
  ],
  ['an empty file', { profile: '' }, /profile\.json: .*empty/],
  ['a file that is no JSON', { profile: 'stages: none' }, /profile\.json: /],
  ['an objective of 0', { slo: '0' }, /--slo: expected a finite number above 0, got the number 0/],
  ['an objective that is NaN', { slo: 'NaN' }, /--slo: expected a finite number above 0/],
]

const badPlans: readonly (readonly [what: string, plan: unknown, message: RegExp])[] = [
  [
    'a plan for another pipeline',
    { ...plan, pipeline: 'pages' },
    /plan\.json: .*"digits".*"pages"/,
  ],
  ['a plan of a later version', { ...plan, version: 2 }, /plan\.json: version: .*2/],
  [
    'a plan without a configuration',
    { version: 1, pipeline: 'digits' },
    /plan\.json: .*configuration/,
  ],
  ['a plan with an unknown key', { ...plan, replicas: 3 }, /plan\.json: .*"replicas"/],
  [
    'a plan that leaves a stage out',
    { ...plan, configuration: { fast: plan.configuration.fast } },
    /accurate/,
  ],
  [
    'a plan with a stage that is not profiled',
    { ...plan, configuration: { ...plan.configuration, slow: plan.configuration.fast } },
    /slow/,
  ],
  [
    'a tier that is not profiled',
    {
      ...plan,
      configuration: { ...plan.configuration, fast: { ...plan.configuration.fast, tier: 'k80' } },
    },
    /k80/,
  ],
  ['a plan that is cut off', JSON.stringify(plan).slice(0, 100), /plan\.json: .*(end|cut)/],
]

describe('simulate', () => {
  it('takes the files as they should be', async () => {
    const { common, plan: file } = filesOf({})
    const estimate = documentOf(await millrace(['simulate', ...common, '--plan', file, '--json']))
    expect(estimate).toMatchObject({ requests: 200, costPerHour: 0.133, attainment: 1 })
  })

  it.each(bad)('refuses %s', async (_what, files, message) => {
    const { common, plan: file } = filesOf(files)
    await expectRefusal(['simulate', ...common, '--plan', file], message)
  })

  it.each(badPlans)('refuses %s', async (_what, given, message) => {
    const { common, plan: file } = filesOf({ plan: given })
    await expectRefusal(['simulate', ...common, '--plan', file], message)
  })

  it('refuses a file that is not there, and a folder', async () => {
    const { common, plan: file } = filesOf({})
    const missing = [...common, '--plan', `${file}.not`]
    await expectRefusal(['simulate', ...missing], /plan\.json\.not: /)
    await expectRefusal(['simulate', ...common, '--plan', folder.path], /directory/)
  })

  it('serves ten million arrivals', { timeout: 180_000 }, async () => {
    const file = `${folder.path}/many.json`
    const made = await millrace(['trace', '--rate', '100000', '--duration', '100.1', '--out', file])
    expect(made).toMatchObject({ exitCode: 0, stderr: '' })
    const { common, plan: planFile } = filesOf({})
    const given = ['simulate', ...common, '--trace', file, '--plan', planFile, '--json']
    const estimate = documentOf(await millrace(given)) as { readonly requests: number }
    expect(estimate.requests).toBeGreaterThan(9_900_000)
  })
})

async function expectRefusal(given: readonly string[], message: RegExp): Promise<void> {
  const { exitCode, stdout, stderr } = await millrace(given)
  expect(stderr).toMatch(message)
  expect(stderr).toMatch(new RegExp(`^millrace ${given[0]}: [^\\n]*\\n$`))
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
}
