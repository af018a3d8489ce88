/** Judges what trials measured, and writes it for people (a table) and for programs (a line of JSON). */
import { rounded } from './trials/rounds.ts'
import type { Comparison, Target, Trial } from './trials/trial.ts'

/** One row of the report; null where there is nothing to compare with. */
export type Verdict = {
  trial: string
  case?: string
  unit: string
  ours: number | null
  reference: number | null
  referenceName: string | null
  ratio: number | null
  target: string
  /** Null where it could not be measured here. */
  met: boolean | null
  missing?: string
  details?: Record<string, unknown>
}

/** A trial is what its worst comparison is; `cases` has them all where there are several. */
export type TrialVerdict = Verdict & { cases?: Verdict[] }

export function judge(trial: Trial, comparisons: readonly Comparison[]): TrialVerdict {
  const cases = comparisons.map((comparison) => judgeComparison(trial, comparison))
  const worst = cases.reduce((a, b) => (margin(trial, b) < margin(trial, a) ? b : a))
  return cases.length === 1 ? worst : { ...worst, cases }

  function margin({ target }: Trial, verdict: Verdict): number {
    const limit = comparisons[cases.indexOf(verdict)]?.target ?? target
    const figure = verdict[limit.figure]
    if (figure === null || verdict.met === null) return Number.POSITIVE_INFINITY
    return limit.atLeast === undefined ? limit.atMost / figure : figure / limit.atLeast
  }
}

/** The verdict on a trial that threw. */
export function failed(trial: Trial, reason: string): TrialVerdict {
  return {
    trial: trial.name,
    unit: trial.unit,
    ours: null,
    reference: null,
    referenceName: null,
    ratio: null,
    target: targetText(trial.target),
    met: false,
    missing: reason,
  }
}

function judgeComparison(trial: Trial, comparison: Comparison): Verdict {
  const { ours, reference, referenceName, missing, details } = comparison
  const target = comparison.target ?? trial.target
  const ratio =
    ours === null || reference === null ? null : ratioOf(trial.ratio, { ours, reference })
  const figure = target.figure === 'ours' ? ours : ratio
  return {
    trial: trial.name,
    ...(comparison.case !== undefined && { case: comparison.case }),
    unit: comparison.unit ?? trial.unit,
    ours: ours === null ? null : rounded(ours),
    reference: reference === null ? null : rounded(reference),
    referenceName,
    ratio: ratio === null ? null : rounded(ratio),
    target: targetText(target),
    met: figure === null ? null : meets(figure, target),
    ...(missing !== undefined && { missing }),
    ...(details !== undefined && { details }),
  }
}

function ratioOf(
  ratio: Trial['ratio'],
  { ours, reference }: { ours: number; reference: number },
): number {
  return ratio === 'ours/reference' ? ours / reference : reference / ours
}

function meets(figure: number, target: Target): boolean {
  return target.atLeast === undefined ? figure <= target.atMost : figure >= target.atLeast
}

export function targetText(target: Target): string {
  const limit = target.atLeast === undefined ? `<= ${target.atMost}` : `>= ${target.atLeast}`
  return `${target.figure} ${limit}`
}

/** A table in Markdown, aligned so that it reads as plain text too. */
export function table(verdicts: readonly TrialVerdict[]): string {
  const rows = verdicts.flatMap((verdict) => verdict.cases ?? [verdict]).map(cells)
  const header = ['trial', 'unit', 'ours', 'reference', 'ratio', 'target', 'met', 'against']
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  return [line(header), rule, ...rows.map(line)].join('\n')
}

function cells(verdict: Verdict): string[] {
  const met = verdict.met === null ? '-' : verdict.met ? 'yes' : 'NO'
  return [
    verdict.case === undefined ? verdict.trial : `${verdict.trial}: ${verdict.case}`,
    verdict.unit,
    figureText(verdict.ours),
    figureText(verdict.reference),
    figureText(verdict.ratio),
    verdict.target,
    met,
    verdict.missing ?? verdict.referenceName ?? '-',
  ]
}

function figureText(figure: number | null): string {
  if (figure === null) return '-'
  return figure >= 10_000 ? Math.round(figure).toLocaleString('en-US') : String(figure)
}
