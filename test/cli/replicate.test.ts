import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Replication } from '../../src/replicate/replicate.ts'
import { documentOf, millrace, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())
const cwd = folder.path
const replicate = (...more: string[]) => millrace(['replicate', '--quick', ...more], { cwd })

describe('replicate', () => {
  it('runs a figure, prints its verdicts, and says where the report is', async () => {
    const { exitCode, stdout, stderr } = await replicate('slo-split', '--out', 'report')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(
      /^slo-split: who gets which part of the latency budget\n {2}CONFIRMED {2}A fixed split costs more/,
    )
    expect(stdout).toMatch(/^ {4}published {2}no figure/m)
    expect(stdout).toMatch(/^ {4}ours {7}the best of the three fixed splits costs/m)
    expect(stdout).toMatch(/^ {4}because {4}No fixed split is cheaper/m)
    expect(stdout).toMatch(/^3 trends: 1 confirmed, 2 reported\.$/m)
    expect(stdout).toMatch(/\nReport: report\/report\.html\n$/)
    const files = ['report.html', 'slo-split.json', 'slo-split.svg']
    expect(readdirSync(join(cwd, 'report')).sort()).toEqual(files)
  })

  it('prints one document, of figures from before as well', async () => {
    await replicate('slo-split', '--out', 'again')
    const outcome = await replicate('slo-split', '--out', 'again', '--json')
    const { figures, report } = documentOf(outcome) as Replication
    expect(report).toBe('again/report.html')
    expect(figures).toMatchObject([{ name: 'slo-split', resumed: true, isMeasured: false }])
  })

  it.each([
    ['no folder', [], /required option '--out <DIR>' not specified/],
    ['an unknown figure', ['fig1', '--out', 'x'], /figures: expected one of "fig3"/],
    ['the option that there was', ['--out', 'x', '--only', 'fig5'], /unknown option '--only'/],
    ['a seed that is none', ['--out', 'x', '--seed', '1.5'], /--seed: expected an integer/],
  ])('refuses %s', async (_what, given, message) => {
    const { exitCode, stdout, stderr } = await replicate(...given)
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })
})
