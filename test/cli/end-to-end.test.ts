import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Estimate } from '../../src/estimator/estimate.ts'
import type { Plan } from '../../src/planner/plan.ts'
import type { Profile } from '../../src/profile/profile.ts'
import { documentOf, millrace, root, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())

const digits = join(root, 'examples/01-digits-cascade/pipeline.js')
const cwd = folder.path
const said = (name: string) => readFileSync(join(cwd, name), 'utf8')

// Each goes on with the files of those before it, as a person would.
describe.sequential('from a pipeline to a plan that is served', () => {
  it('profile measures the stages', { timeout: 120_000 }, async () => {
    const given = ['profile', digits, '--samples', '60', '--max-batch', '4', '--json']
    const outcome = await millrace(given, { cwd })
    expect(outcome.stderr).toBe('')
    const profile = documentOf(outcome) as Profile
    expect(JSON.parse(said('digits.profile.json'))).toEqual(profile)
    expect(profile).toMatchObject({ version: 1, pipeline: 'digits', edges: [['fast', 'accurate']] })
    expect(profile.measured?.samples).toBe(60)
  })

  it('trace makes the same arrivals each time', async () => {
    const given = ['trace', '--rate', '100', '--cv2', '4', '--duration', '2', '--seed', '7']
    const report = documentOf(await millrace([...given, '--out', 'trace.json', '--json'], { cwd }))
    expect(report).toMatchObject({ meta: { seed: 7 }, stats: { durationMs: 2000 } })
    await millrace([...given, '--out', 'again.json'], { cwd })
    expect(said('again.json')).toBe(said('trace.json'))
    const { stdout } = await millrace(['trace', '--in', 'trace.json'], { cwd })
    expect(stdout).toMatch(/^requests +\d+\nduration +2\.00 s\nrate +[\d.]+ \/s\n/)
  })

  it('trace makes shapes, and lines where the name says so', async () => {
    const given = [
      'trace',
      '--shape',
      'ramp',
      '--rate',
      '50',
      '--duration',
      '2',
      '--from-rate',
      '5',
    ]
    const { exitCode } = await millrace([...given, '--transition', '1', '--out', 'ramp.ndjson'], {
      cwd,
    })
    expect(exitCode).toBe(0)
    expect(said('ramp.ndjson')).toMatch(/^[\d.]+\n[\d.]+\n/)
  })

  it('simulate estimates a configuration', async () => {
    const configuration = {
      // The one size that is profiled however busy the machine is.
      fast: { tier: 'cpu-1', maxBatch: 1, replicas: 1 },
      accurate: { tier: 'cpu-1', maxBatch: 1, replicas: 1 },
    }
    folder.write('configuration.json', { version: 1, configuration })
    const files = ['--profile', 'digits.profile.json', '--trace', 'trace.json', '--slo', '200']
    const given = ['simulate', ...files, '--plan', 'configuration.json']
    const estimate = documentOf(await millrace([...given, '--json'], { cwd })) as Estimate
    expect(estimate.attainment).toBeGreaterThan(0.5)
    expect(documentOf(await millrace([...given, '--json'], { cwd }))).toEqual(estimate)
    const { stdout } = await millrace([...given, '--drawn'], { cwd })
    expect(stdout).toMatch(/^latency +p50 [\d.]+ ms, p95 .* p99 .* max /m)
    expect(stdout).toMatch(/^accurate +\d+ /m)
  })

  it('plan finds a configuration, and run serves it beside its prediction', async () => {
    const files = ['--profile', 'digits.profile.json', '--trace', 'trace.json', '--slo', '200']
    const planned = documentOf(
      await millrace(['plan', ...files, '--out', 'plan.json', '--json'], { cwd }),
    )
    const { estimate, configuration } = planned as Plan
    const served = ['run', digits, '--trace', 'trace.json', '--plan', 'plan.json', '--json']
    const report = documentOf(await millrace(served, { cwd }))
    expect(report).toMatchObject({ latencyMs: 200, configuration, estimate })
  })

  it('run --tune follows traffic that leaves the plan, and says why', async () => {
    const rate = ['--rate', '1500', '--duration', '1', '--out', 'busy.json']
    await millrace(['trace', ...rate], { cwd })
    const files = ['run', digits, '--trace', 'busy.json', '--plan', 'plan.json', '--tune']
    const { exitCode, stdout } = await millrace([...files, '--max-replicas', '3'], { cwd })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /^Tuned: [1-9]\d* times up, \d+ times down, 1,\d+ arrivals; decided in /m,
    )
    expect(stdout).toMatch(/^ {2}at 0\.\d+ s up: window [\d.]+ s: \d+\/s over \d+\/s planned -> /m)
    const report = documentOf(await millrace([...files, '--cores', '2', '--json'], { cwd }))
    // One replica of each stage is all that 2 cores allow, and there are those.
    expect(report).toMatchObject({
      tuned: { changes: [], plans: [], replans: false, errors: [], stats: { scaleUps: 0 } },
    })
  })

  it('run --tune plans anew from a profile, where it is not told otherwise', async () => {
    const files = [
      'run',
      digits,
      '--trace',
      'trace.json',
      '--plan',
      'plan.json',
      '--tune',
      '--json',
    ]
    const withProfile = [...files, '--profile', 'digits.profile.json', '--budget', '10']
    const [planning, changing, without] = await Promise.all([
      millrace([...withProfile, '--replan-after', '60'], { cwd }),
      millrace([...withProfile, '--no-replan'], { cwd }),
      millrace([...files, '--replan-after', '60'], { cwd }),
    ])
    expect(documentOf(planning)).toMatchObject({ tuned: { replans: true, plans: [] } })
    expect(documentOf(changing)).toMatchObject({ tuned: { replans: false, plans: [] } })
    expect(without.stderr).toMatch(/--replan-after: expected a profile to plan with, got none/)
    expect(without.exitCode).toBe(2)
  })

  it('run measures beside what a profile predicts', async () => {
    const files = ['--trace', 'trace.json', '--plan', 'configuration.json']
    const predicted = ['--profile', 'digits.profile.json', '--slo', '200']
    const { exitCode, stdout, stderr } = await millrace(['run', digits, ...files, ...predicted], {
      cwd,
    })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^ +measured +predicted +difference$/m)
    expect(stdout).toMatch(/^within 200 ms +[\d.]+ % +[\d.]+ % +[-+][\d.]+ points$/m)
  })
})

describe('profile', () => {
  it('ends cleanly at Ctrl-C, and writes nothing', async () => {
    const file = folder.write(
      'talking.mjs',
      `export { cascade } from ${JSON.stringify(digits)}
      import { samples as all } from ${JSON.stringify(digits)}
      export function samples() { console.error('ready'); return all() }`,
    )
    const interruptAt = { after: /ready/, signal: 'SIGINT' } as const
    const given = ['profile', file, '--out', 'interrupted.json', '--json']
    const outcome = await millrace(given, { cwd, interruptAt })
    expect(outcome).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'ready\nmillrace profile: interrupted\n',
    })
    expect(() => said('interrupted.json')).toThrow('ENOENT')
  })

  it.each([
    ['a tier that is none', ['--tiers', 'gpu'], /cpu-N/],
    ['a batch of 0', ['--max-batch', '0'], /--max-batch: expected an integer at least 1/],
    ['no samples', ['--samples', '0'], /--samples: expected an integer at least 1/],
  ])('refuses %s', async (_what, given, message) => {
    const { exitCode, stdout, stderr } = await millrace(['profile', digits, ...given], { cwd })
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })
})
