import type { Command } from 'commander'
import { diagnose } from './diagnose.ts'
import { findingsOf, isBroken } from './diagnosis-findings.ts'
import { formatDiagnosis } from './diagnosis-report.ts'
import { BrokenInstallation } from './failure.ts'
import type { Terminal } from './terminal.ts'

const example = `
Examples:
  $ millrace doctor
  $ millrace doctor --json

Times are milliseconds, memory is megabytes. Exit code 1 where something is broken; the report is printed all the same.`

export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .summary('look at this installation and this machine')
    .description(
      'Says what was loaded and why, what this machine and its container have, what is broken, and what would make it faster.',
    )
    .option('--json', 'print one JSON document: what was found, and the findings')
    .addHelpText('after', example)
    .action(async ({ json }: { readonly json?: boolean }) => {
      const diagnosis = await diagnose()
      const findings = findingsOf(diagnosis)
      if (json) terminal.printJson({ ...diagnosis, findings })
      else terminal.print(formatDiagnosis(diagnosis, findings))
      if (isBroken(findings)) throw new BrokenInstallation()
    })
}
