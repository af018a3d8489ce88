import type { Finding } from '../replicate/figure.ts'
import type { ReplicatedFigure, Replication } from '../replicate/replicate.ts'
import { tally } from '../replicate/tally.ts'

/** For a person to read: each trend as published and as found, figure by figure; how many hold; and where the report is. */
export function formatReplication({ figures, stale, report }: Replication): string {
  const findings = figures.flatMap((figure) => figure.findings)
  const left =
    stale.length === 0
      ? []
      : [
          `Not in the report, being of other code or settings: ${stale.join(', ')}; name them to run them again.`,
        ]
  return [...figures.map(figureText), tally(findings), ...left, `Report: ${report}`].join('\n\n')
}

function figureText({ name, title, resumed, isMeasured, findings }: ReplicatedFigure): string {
  const notes = [isMeasured ? 'measured here' : '', resumed ? 'from before' : '']
  const note = notes.filter((each) => each !== '').join(', ')
  return [`${name}: ${title}${note === '' ? '' : ` (${note})`}`, ...findings.map(findingText)].join(
    '\n',
  )
}

function findingText({ claim, published, confidence, ours, verdict, reason }: Finding): string {
  return [
    `  ${verdict.toUpperCase()}  ${claim}`,
    `    published  ${published} (${confidence})`,
    `    ours       ${ours}`,
    `    because    ${reason}`,
  ].join('\n')
}
