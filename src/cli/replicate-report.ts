import type { Replication } from '../replicate/replicate.ts'
import { formatTable } from './table.ts'

/** For a person to read: a line for each trend, figure by figure, and where the report is. */
export function formatReplication({ figures, report }: Replication): string {
  const parts = figures.map(({ name, title, resumed, isMeasured, findings }) => {
    const notes = [isMeasured ? 'measured here' : '', resumed ? 'from before' : '']
    const note = notes.filter((each) => each !== '').join(', ')
    const rows = findings.map(({ claim, ours, verdict }) => [verdict, claim, ours])
    return [
      `${name}: ${title}${note === '' ? '' : ` (${note})`}`,
      formatTable([['verdict', 'trend', 'ours'], ...rows], { indent: '  ' }),
    ].join('\n')
  })
  return [...parts, `Report: ${report}`].join('\n\n')
}
