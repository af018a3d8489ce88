import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Plan, strategies } from '../../src/planner/plan.ts'
import { hardware, profile, trace } from './files.ts'
import { documentOf, millrace, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())
const cwd = folder.path
folder.write('profile.json', profile)
folder.write('hardware.json', hardware)
folder.write('trace.json', trace)

const files = ['--profile', 'profile.json', '--hardware', 'hardware.json', '--trace', 'trace.json']
const plan = (...more: string[]) => millrace(['plan', ...files, '--slo', '100', ...more], { cwd })
const said = (name: string) => readFileSync(join(cwd, name), 'utf8')

describe('plan', () => {
  it('prints what to run, what it costs, what to expect, why, and what was searched', async () => {
    const { exitCode, stdout, stderr } = await plan()
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const line of [
      /^digits: p99 within 100 ms, strategy optimal\n\nstage +tier +max batch +replicas +cost$/m,
      /^fast +cpu-1 +\d+ +1 +0\.0665 \/h$/m,
      /^latency +p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms$/m,
      /^attainment +[\d.]+ % within 100 ms$/m,
      /^cost +0\.1330 \/h$/m,
      /^Why:\n {2}fast +\S.*\n {2}accurate +\S/m,
      /^Searched: [\d,]+ configurations, [\d,]+ simulations\. Of the configurations\n {2}[\d,]+ \S/m,
      /^ {2}[\d,]+ meets? the objective$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
  })

  it('writes what it prints, the same bytes each time, for simulate to agree with', async () => {
    const made = documentOf(await plan('--out', 'plan.json', '--json')) as Plan
    expect(JSON.parse(said('plan.json'))).toEqual(made)
    await plan('--out', 'again.json')
    expect(said('again.json')).toBe(said('plan.json'))
    const simulated = await millrace(['simulate', ...files, '--plan', 'plan.json', '--json'], {
      cwd,
    })
    expect(documentOf(simulated)).toEqual(made.estimate)
  })

  it.each(strategies)('follows the strategy %s', async (strategy) => {
    const made = documentOf(await plan('--strategy', strategy, '--json')) as Plan
    expect(made.strategy).toBe(strategy)
    expect(made.estimate.attainment).toBeGreaterThanOrEqual(0.99)
  })

  it('keeps to its limits', async () => {
    const limits = ['--max-replicas', '3', '--max-batch', '4', '--cores', '4', '--memory', '1000']
    const more = ['--budget', '1', '--tiers', 'cpu-1', '--percentile', '95']
    const made = documentOf(await plan(...limits, ...more, '--json')) as Plan
    expect(made.objective).toEqual({ latencyMs: 100, percentile: 95 })
    for (const { maxBatch, replicas, tier } of Object.values(made.configuration)) {
      expect(maxBatch).toBeLessThanOrEqual(4)
      expect(replicas).toBeLessThanOrEqual(3)
      expect(tier).toBe('cpu-1')
    }
  })

  it.each([
    ['an objective that is too strict', ['--slo', '0.5']],
    ['a budget that is too small', ['--budget', '0.01']],
    ['less than a core', ['--cores', '0.5']],
  ])('says that nothing meets %s', async (_what, given) => {
    const { exitCode, stdout, stderr } = await plan(...given, '--out', 'none.json', '--json')
    expect(stderr).toMatch(/^millrace plan: [^\n]+\n$/)
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(() => said('none.json')).toThrow('ENOENT')
  })

  it.each([
    ['a tier that nobody knows', ['--tiers', 'k81'], /k81/],
    ['an objective of 0', ['--slo', '0'], /--slo: expected a finite number above 0/],
    [
      'a percentile of 100',
      ['--percentile', '100'],
      /--percentile: expected a finite number .*below 100/,
    ],
    ['an accuracy above 1', ['--min-accuracy', '90'], /--min-accuracy: .* from 0 to 1/],
    ['no replicas', ['--max-replicas', '0'], /--max-replicas: expected an integer at least 1/],
    [
      'a plan and a frontier at once',
      ['--out', 'x.json', '--frontier'],
      /'--out <FILE>' cannot be used with/,
    ],
    ['a folder that is not there', ['--out', 'nowhere/plan.json'], /nowhere/],
  ])('refuses %s', async (_what, given, message) => {
    const { exitCode, stdout, stderr } = await plan(...given)
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })
})

describe('plan --frontier', () => {
  it('prints what objectives cost, and draws it', async () => {
    const { exitCode, stdout, stderr } = await plan('--plot', 'frontier.svg')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^objective +cost +p99 +attainment +configuration$/m)
    expect(said('frontier.svg')).toMatch(/^<svg .*>objective \(ms\)</s)
  })

  it('is never dearer for a looser objective', async () => {
    const { plans } = documentOf(await plan('--frontier', '--json')) as {
      readonly plans: readonly Plan[]
    }
    const costs = plans.map(({ costPerHour }) => costPerHour)
    expect(costs).toEqual([...costs].sort((a, b) => b - a))
  })

  it('says how to install what draws it where it is missing', async () => {
    const hooks = `export function resolve(name, context, next) {
      if (name === 'echarts') throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(name, context)
    }`
    const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})`
    const block = folder.write('block.mjs', register)
    const env = { NODE_OPTIONS: `--import=${block}` }
    const given = ['plan', ...files, '--slo', '100', '--plot', 'missing.svg']
    const { exitCode, stderr } = await millrace(given, { cwd, env })
    expect(stderr).toMatch(/npm install echarts/)
    expect(exitCode).toBe(2)
  })
})
