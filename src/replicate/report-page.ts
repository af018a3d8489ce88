import type { Figure, FigureTable, Finding, Presentation } from './figure.ts'
import type { FigureFile } from './figure-file.ts'
import { pageStyle } from './page-style.ts'
import { tally } from './tally.ts'

/** A figure that was run, and drawn. */
export interface ReportedFigure {
  readonly figure: Figure
  readonly file: FigureFile
  readonly presentation: Presentation
  /** One of each plot. */
  readonly svgs: readonly string[]
}

/** The report: one HTML page that needs nothing else. The same figures give the same bytes. */
export function reportPage(figures: readonly ReportedFigure[]): string {
  const title = 'InferLine, replicated with Millrace'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${pageStyle}
</style>
</head>
<body>
<h1>${title}</h1>
${introduction(figures)}
${summary(figures)}
${figures.map(section).join('\n')}
</body>
</html>
`
}

function introduction(figures: readonly ReportedFigure[]): string {
  const { seed, quick, millrace } = figures[0]?.file.settings ?? {}
  const links = figures.map(({ figure }) => `<a href="#${figure.name}">${htmlOf(figure.name)}</a>`)
  const paper =
    'Crankshaw et al., InferLine: latency-aware provisioning and scaling for prediction serving pipelines, SoCC 2020 (arXiv 1812.01776)'
  return `<p>The experiments of ${htmlOf(paper)}, run again with Millrace ${htmlOf(millrace ?? '')}, seed ${seed ?? ''}${quick ? ', quick: fewer points and shorter traces' : ''}.
The pipelines are those of the paper by the throughput that it measured (<code>profiles/README.md</code> says what is assumed beside); everything but what is marked as measured is simulated, and the same seed gives the same numbers.</p>
<nav>${links.join(' ')}</nav>`
}

function summary(figures: readonly ReportedFigure[]): string {
  const rows = figures.flatMap(({ figure, presentation }) =>
    presentation.findings.map((finding) => findingRow(finding, figure.name)),
  )
  return `<h2>Published, ours, verdict</h2>
<p>${htmlOf(tally(figures.flatMap(({ presentation }) => presentation.findings)))}</p>
${findingTable(rows, true)}
<p class="faint">(sure): read in the paper; (likely): remembered, not checked against its text; (ours): the paper gives no figure, and it is a target of this project.</p>`
}

function section({ figure, file, presentation, svgs }: ReportedFigure): string {
  const { findings, plots, tables } = presentation
  const drawn = svgs.map((svg, at) => {
    const label = htmlOf(plots[at]?.title ?? '')
    return `<figure role="img" aria-label="${label}">${svg}</figure>`
  })
  const analyses = findings.filter(({ analysis }) => analysis !== undefined)
  return `<h2 id="${figure.name}">${htmlOf(`${figure.name}: ${figure.title}`)}</h2>
${measuredNote(file)}
<h3>Question</h3><p>${htmlOf(figure.question)}</p>
<h3>Protocol</h3><p>${htmlOf(figure.protocol)}</p>
<h3>What differs here</h3><ul>${figure.differences.map((each) => `<li>${htmlOf(each)}</li>`).join('')}</ul>
<h3>Findings</h3>
${findingTable(
  findings.map((finding) => findingRow(finding)),
  false,
)}
${analyses.length === 0 ? '' : `<h3>Analysis</h3>${analyses.map(analysisOf).join('\n')}`}
<div class="plots">${drawn.join('\n')}</div>
${tables.map(tableOf).join('\n')}`
}

function measuredNote({ measured }: FigureFile): string {
  if (measured === undefined) return ''
  const { cpu, cores, node, date } = measured
  return `<p class="measured">Measured on this machine, so another run has other numbers: ${htmlOf(cpu)}, ${cores} cores, Node ${htmlOf(node)}, ${htmlOf(date)}.</p>`
}

function analysisOf({ claim, analysis = '' }: Finding): string {
  return `<p><b>${htmlOf(claim)}.</b> ${htmlOf(analysis)}</p>`
}

function findingTable(rows: readonly string[], withFigure: boolean): string {
  const figure = withFigure ? '<th>figure</th>' : ''
  return `<div class="scroll"><table class="findings"><thead><tr>${figure}<th>trend</th><th>published</th><th>ours</th><th>verdict</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`
}

function findingRow(finding: Finding, figure?: string): string {
  const { claim, published, confidence, ours, verdict, reason } = finding
  const first = figure === undefined ? '' : cell('figure', `<a href="#${figure}">${figure}</a>`)
  const name = verdict.replaceAll(' ', '-')
  return `<tr>${first}${cell('trend', htmlOf(claim))}${cell('published', `${htmlOf(published)} <span class="faint">(${confidence})</span>`)}${cell('ours', htmlOf(ours))}${cell('verdict', `<span class="${name}">${verdict}</span> <span class="reason">${htmlOf(reason)}</span>`)}</tr>`
}

function cell(name: string, html: string): string {
  return `<td data-name="${name}">${html}</td>`
}

function tableOf({ title, rows }: FigureTable): string {
  const [heading = [], ...body] = rows
  const line = (row: readonly string[]) =>
    `<tr>${row.map((text) => `<td${kindOf(text)}>${htmlOf(text)}</td>`).join('')}</tr>`
  const head = heading.map((text, column) => {
    const cells = body.map((row) => row[column] ?? '')
    const isNumeric = cells.every((cell) => cell === '' || looksNumeric(cell))
    return `<th${isNumeric ? ' class="number"' : ''}>${htmlOf(text)}</th>`
  })
  return `<h3>${htmlOf(title)}</h3>
<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>${body.map(line).join('\n')}</tbody></table></div>`
}

function kindOf(text: string): string {
  if (looksNumeric(text)) return ' class="number"'
  return text.length > longText ? ' class="long"' : ''
}

/** Letters; wider than such a text would be where a table is squeezed into a telephone. */
const longText = 40

function looksNumeric(text: string): boolean {
  return /^[-+$]{0,2}[\d,.]+( ?(%|ms|s|h|\/s|\/h|points))?$/.test(text)
}

function htmlOf(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
