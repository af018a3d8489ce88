import { type Finding, verdicts } from './figure.ts'

/** How many findings have each verdict, as a sentence: `38 trends: 25 confirmed, 13 reported.`. */
export function tally(findings: readonly Pick<Finding, 'verdict'>[]): string {
  const counts = verdicts.flatMap((verdict) => {
    const count = findings.filter((finding) => finding.verdict === verdict).length
    return count === 0 ? [] : [`${count} ${verdict}`]
  })
  return `${findings.length} trends: ${counts.join(', ')}.`
}
