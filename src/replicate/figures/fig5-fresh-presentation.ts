import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { outOf, percent } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import { answerOf, costOf, isEnough, meets, nameOf } from './fig5-answer.ts'
import type { Fig5Answer, Fig5Data, Fig5Point } from './fig5-data.ts'

/** A plan for exactly 99 %, and one with a margin, on the same traces. */
interface Pair {
  readonly point: Fig5Point
  readonly exact: Fig5Answer
  readonly safer: Fig5Answer | undefined
}

/** Whether plans hold on traces that they were not made for, and why not where they do not. */
export function presentFresh(data: Fig5Data): Presentation {
  const pairs = data.points.flatMap((point) => {
    const exact = answerOf(point, 'optimal')
    return exact === undefined ? [] : [{ point, exact, safer: answerOf(point, 'optimal, 99.5 %') }]
  })
  const exceptions = pairs.filter(({ exact }) => !meets(exact))
  return {
    findings: [attains(pairs, exceptions), margin(pairs)],
    plots: [
      freshPlot('exact', { title: 'planned for 99 %', answers: pairs.map(({ exact }) => exact) }),
      freshPlot('safer', {
        title: 'planned for 99.5 %',
        answers: pairs.flatMap(({ safer }) => safer ?? []),
      }),
    ],
    tables: exceptions.length === 0 ? [] : [exceptionTable(exceptions)],
  }
}

function attains(pairs: readonly Pair[], exceptions: readonly Pair[]): Finding {
  const count = pairs.length
  const worst = Math.min(...pairs.map(({ exact }) => exact.attainment ?? 0))
  const all = summaryOf(pairs.map(({ exact }) => exact))
  return {
    claim: 'On a fresh trace of the same process the plan has 99 % of the requests in time',
    published: 'highest attainment of the three everywhere',
    confidence: 'sure',
    ours: `${outOf(count - exceptions.length, count)} points, the worst has ${percent(worst)}; ${all.text}`,
    verdict: exceptions.length === 0 ? 'confirmed' : 'confirmed in part',
    reason:
      exceptions.length === 0
        ? 'Every plan has at least 99 % in time on a trace that it was not made for.'
        : `The least cost for exactly 99 % on one trace leaves no slack for the next: ${outOf(exceptions.length, count)} points fall short on theirs, and a margin of half a point mends most of them.`,
    ...(exceptions.length > 0 && { analysis: `${why(pairs)} ${reasons(exceptions)}` }),
  }
}

/** What is lost from the trace that was planned for to others, and how far those differ among themselves. */
function why(pairs: readonly Pair[]): string {
  const own = meanOf(pairs.map(({ exact }) => exact.plannedAttainment ?? 0))
  const { mean, spread } = summaryOf(pairs.map(({ exact }) => exact))
  return `The plan is the cheapest that passes on one trace, so it fits that one: it has ${percent(own)} in time there on average over all points, and ${percent(mean)} on the others. Attainment on fresh traces of one process scatters by ${(100 * spread).toFixed(2)} points about its mean (standard deviation, averaged over the points), so a plan whose mean is 99 % meets it on about half of them.`
}

function reasons(exceptions: readonly Pair[]): string {
  const kinds = exceptions.map(({ exact }) => kindOf(exact))
  const count = (kind: string) => kinds.filter((each) => each === kind).length
  const texts = [
    `at ${count(unlucky)} the mean of ten fresh traces meets 99 %, and the first was one of those that do not`,
    `at ${count(fitted)} the mean is below 99 %, since the plan fits its own trace`,
    `at ${count(full)} a stage is more than ${percent(nearlyFull, 0)} full at the mean rate, so that a trace with somewhat more requests keeps its queue filled for long: no percentile tells of that, a longer trace to plan for does`,
  ].filter((text) => !text.startsWith('at 0 '))
  return `Of the ${exceptions.length} exceptions: ${texts.join('; ')}. The table has each of them.`
}

const unlucky = 'an unlucky trace'
const fitted = 'fits its own trace'
const full = 'a stage all but full'

/** From here on a trace with some requests more than the one planned for keeps its queue filled for long. */
const nearlyFull = 0.9

function kindOf(answer: Fig5Answer): string {
  if (isEnough(meanOf(freshOf(answer)))) return unlucky
  return (answer.fullest?.load ?? 0) > nearlyFull ? full : fitted
}

function margin(pairs: readonly Pair[]): Finding {
  const both = pairs.flatMap(({ point, exact, safer }) => (safer ? [{ point, exact, safer }] : []))
  const missing = both.filter(({ safer }) => !meets(safer))
  const more = meanOf(both.map(({ exact, safer }) => costOf(safer) / costOf(exact))) - 1
  const list = missing.map(({ point, safer }) => {
    return `${nameOf(point)} ${percent(safer.attainment ?? 0)} (mean of ten ${percent(meanOf(freshOf(safer)))})`
  })
  const { text } = summaryOf(both.map(({ safer }) => safer))
  return {
    claim: 'Planning for 99.5 % makes 99 % hold on the fresh trace',
    published: 'no figure: the greedy planner stops short of the minimum, which is a margin, too',
    confidence: 'ours',
    ours: `${outOf(both.length - missing.length, both.length)} points, for ${percent(more, 1)} more on average; ${text}`,
    verdict: missing.length === 0 ? 'confirmed' : 'confirmed in part',
    reason:
      missing.length === 0
        ? `It holds at every point, for ${percent(more, 1)} more.`
        : `It holds at all but ${missing.length} points, where two traces of this length differ by more than the margin.`,
    ...(missing.length > 0 && { analysis: `Short of 99 % all the same: ${list.join('; ')}.` }),
  }
}

function summaryOf(answers: readonly Fig5Answer[]) {
  const shares = answers.flatMap(freshOf)
  const enough = shares.filter(isEnough).length
  const mean = meanOf(shares)
  const spread = meanOf(answers.map((answer) => deviationOf(freshOf(answer))))
  const traces = freshOf(answers[0] ?? {}).length
  const text = `on ${traces} fresh traces a point, ${percent(enough / shares.length, 0)} of all meet 99 %, with ${percent(mean)} in time on average`
  return { mean, spread, text }
}

function freshOf({ freshAttainments, attainment = 0 }: Omit<Fig5Answer, 'system'>) {
  return freshAttainments ?? [attainment]
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / Math.max(1, values.length - 1))
}

/** Points in the order of their means: the least, the mean and the most of the fresh traces of each. */
function freshPlot(
  name: string,
  { title, answers }: { readonly title: string; readonly answers: readonly Fig5Answer[] },
): Plot {
  const points = answers.map(freshOf).sort((one, other) => meanOf(one) - meanOf(other))
  const line = (of: (shares: readonly number[]) => number) =>
    points.map((shares, at) => [at + 1, 100 * of(shares)] as const)
  return {
    name: `fresh-${name}`,
    title: `${title}: ten fresh traces of each point`,
    x: { name: 'point, from the worst mean to the best', min: 1, max: points.length },
    y: { name: 'attainment (%)', scaled: true, max: 100 },
    series: [
      { name: 'best of ten', kind: 'line', points: line((shares) => Math.max(...shares)) },
      { name: 'mean', kind: 'line', points: line(meanOf) },
      { name: 'worst of ten', kind: 'line', points: line((shares) => Math.min(...shares)) },
    ],
    mark: { y: 99, text: '99 %', at: 'start' },
  }
}

function exceptionTable(exceptions: readonly Pair[]): FigureTable {
  const heading = [
    'point',
    'own trace',
    'fresh trace',
    'mean of ten',
    'worst to best',
    'ten that meet',
    'fullest stage',
    'why',
    'with 99.5 %: more cost',
    'mean of ten',
    'ten that meet',
  ]
  const rows = exceptions.map(({ point, exact, safer }) => {
    const shares = freshOf(exact)
    const again = safer && freshOf(safer)
    return [
      nameOf(point),
      percent(exact.plannedAttainment ?? 0),
      percent(exact.attainment ?? 0),
      percent(meanOf(shares)),
      `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`,
      outOf(shares.filter(isEnough).length, shares.length),
      loadText(exact),
      kindOf(exact),
      safer ? percent(costOf(safer) / costOf(exact) - 1, 1) : 'no plan',
      again ? percent(meanOf(again)) : '',
      again ? outOf(again.filter(isEnough).length, again.length) : '',
    ]
  })
  return {
    title: 'Exceptions: plans for 99 % that fall short on the fresh trace',
    rows: [heading, ...rows],
  }
}

function loadText({ fullest }: Fig5Answer): string {
  return fullest === undefined ? '' : `${fullest.stage} ${percent(fullest.load, 0)}`
}
