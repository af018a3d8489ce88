/** Keeps a report in bench/results: JSON with every round, and the table beside it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TrialVerdict, table } from './report.ts'
import { type Machine, machineSlug, machineText } from './report-machine.ts'

export type Report = {
  dateTime: string
  command: string
  machine: Machine
  /** Runnable threads of the whole machine, mean of the minute before the first trial. */
  loadBefore: number
  trials: TrialVerdict[]
}

const directory = fileURLToPath(new URL('./results/', import.meta.url))

/** Returns the path of the table; a run of the same day on the same machine is replaced. */
export async function saveReport(report: Report): Promise<string> {
  const stem = `${report.dateTime.slice(0, 10)}-${machineSlug(report.machine)}`
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${stem}.json`), `${JSON.stringify(report, null, 2)}\n`)
  const path = join(directory, `${stem}.md`)
  await writeFile(path, markdown(report))
  return path
}

function markdown(report: Report): string {
  return [
    `# ${report.dateTime.slice(0, 10)}`,
    `${machineText(report.machine)}; load average ${report.loadBefore} before the first trial.`,
    `Printed by \`${report.command}\`: medians of alternating rounds, which the JSON beside this has.`,
    `${table(report.trials)}\n`,
  ].join('\n\n')
}
