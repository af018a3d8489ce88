/**
 * Runs the trials, each in a process of its own, and reports: `npm run --silent bench -- [options]`.
 * Results go to standard output and nothing else does; progress goes to standard error.
 *
 * Exit codes: 0 all trials ran (also where a target was missed), 1 a trial failed, 2 bad usage.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { failed, judge, type TrialVerdict, table, targetText } from './report.ts'
import { describeMachine, machineText } from './report-machine.ts'
import { saveReport } from './report-save.ts'
import { callInFreshProcess } from './trials/fresh-process.ts'
import { trials } from './trials/index.ts'
import { rounded } from './trials/rounds.ts'
import type { Comparison, Trial } from './trials/trial.ts'

type Options = { chosen: readonly Trial[]; json: boolean; quick: boolean; save: boolean }

const usage = `npm run --silent bench -- [--only NAME[,NAME]] [--json] [--quick] [--save]

  --only    these trials; may be given several times
  --json    one line of JSON a trial, with its rounds, in place of the table
  --quick   few and short rounds: shows that it works; do not quote its figures
  --save    also writes bench/results/DATE-MACHINE.json and .md

Trials:
${trials.map((trial) => `  ${trial.name.padEnd(18)}${trial.measures} (${targetText(trial.target)})`).join('\n')}
`

process.exitCode = await main()

async function main(): Promise<number> {
  let options: Options | undefined
  try {
    options = readOptions()
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  if (options === undefined) {
    process.stdout.write(usage)
    return 0
  }
  return report(options)
}

/** Undefined where help is asked for. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return { ...values, chosen: choose(values.only.flatMap((names) => names.split(','))) }
}

function choose(names: readonly string[]): readonly Trial[] {
  const unknown = names.find((name) => trials.every((trial) => trial.name !== name))
  if (unknown !== undefined) throw new Error(`no trial is called "${unknown}"`)
  return names.length === 0 ? trials : trials.filter((trial) => names.includes(trial.name))
}

async function report({ chosen, json, quick, save }: Options): Promise<number> {
  const dateTime = new Date().toISOString()
  const machine = describeMachine()
  const loadBefore = rounded(loadavg()[0] ?? 0)
  console.error(`${machineText(machine)}, load average ${loadBefore}`)
  const verdicts: TrialVerdict[] = []
  for (const trial of chosen) {
    const verdict = await measure(trial, quick)
    verdicts.push(verdict)
    if (json) process.stdout.write(`${JSON.stringify(verdict)}\n`)
  }
  if (!json) process.stdout.write(`${table(verdicts)}\n`)
  if (save) {
    const command = ['npm run --silent bench --', ...process.argv.slice(2)].join(' ')
    const path = await saveReport({ dateTime, command, machine, loadBefore, trials: verdicts })
    console.error(`saved ${path}`)
  }
  return verdicts.some(({ ours, met }) => ours === null && met === false) ? 1 : 0
}

async function measure(trial: Trial, quick: boolean): Promise<TrialVerdict> {
  console.error(trial.name)
  const module = new URL('./trials/index.ts', import.meta.url).href
  const argument = { name: trial.name, quick }
  try {
    const measured = await callInFreshProcess({ module, export: 'runTrial', argument })
    return judge(trial, measured as Comparison[])
  } catch (error) {
    const { message } = error as Error
    console.error(message)
    return failed(trial, message.split('\n')[0] ?? '')
  }
}
