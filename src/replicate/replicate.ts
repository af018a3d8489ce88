import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkBoolean, checkInteger, checkOneOf, checkString } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { writeTextFile } from '../json-file.ts'
import { drawPlot } from './draw-plot.ts'
import type { Figure, FigureProgress, Finding } from './figure.ts'
import { readFigureFile, settingsOf, writeFigureFile } from './figure-file.ts'
import { figures as allFigures, figureNames } from './figures.ts'
import { loadEcharts } from './load-echarts.ts'
import { type ReportedFigure, reportPage } from './report-page.ts'
import { sheet } from './sheet.ts'

export interface ReplicateOptions {
  /** The folder of the report; made where it is missing. */
  readonly out: string
  /** Names of figures to run. Default: all. */
  readonly figures?: readonly string[] | undefined
  /** Of all traces and simulations, an integer from 0. Default 1. */
  readonly seed?: number | undefined
  /** Fewer points and shorter traces: two minutes instead of half an hour on two cores. Default false. */
  readonly quick?: boolean | undefined
  /** Aborting it rejects with MILLRACE_CANCELLED; figures that are finished stay, and are not run again. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ReplicateProgress) => void) | undefined
}

export interface ReplicateProgress extends FigureProgress {
  readonly figure: string
}

export interface Replication {
  /** The page. */
  readonly report: string
  readonly figures: readonly ReplicatedFigure[]
  /** Figures that were not asked for, and are not in the report: those in the folder are of other settings or code. */
  readonly stale: readonly string[]
}

export interface ReplicatedFigure {
  readonly name: string
  readonly title: string
  /** Its data were there already, of the same settings and code. */
  readonly resumed: boolean
  readonly isMeasured: boolean
  readonly findings: readonly Finding[]
}

/**
 * Runs the experiments of InferLine (Crankshaw et al., SoCC 2020) again, and writes a report: `report.html`, and for each
 * figure its data and plots as `NAME.json` and `NAME.svg`. A figure whose data of the same settings and the same code are there
 * is drawn from them. The same seed gives the same bytes, but for figures that are measured.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION, also where echarts is not installed; MILLRACE_INVALID_FILE where the
 * folder cannot be written; MILLRACE_CANCELLED.
 */
export async function replicate(options: ReplicateOptions): Promise<Replication> {
  const { out, names, seed, quick, signal, onProgress } = readOptions(options)
  await loadEcharts('a report')
  await makeFolder(out)
  const done: (ReportedFigure & { readonly resumed: boolean })[] = []
  const stale: string[] = []
  for (const figure of allFigures) {
    const path = join(out, `${figure.name}.json`)
    const settings = settingsOf(figure, { seed, quick })
    const found = await readFigureFile(path, { figure: figure.name, settings })
    const known = found === 'stale' ? undefined : found
    if (known === undefined && !names.includes(figure.name)) {
      if (found === 'stale') stale.push(figure.name)
      continue
    }
    const tell = (progress: FigureProgress) => onProgress({ ...progress, figure: figure.name })
    const run = () => figure.run({ seed, quick, signal, onProgress: tell })
    const file = known ?? (await writeFigureFile(path, { figure, settings, data: await run() }))
    const presentation = figure.present(file.data)
    const svgs = await draw(figure, presentation.plots)
    await writeTextFile(join(out, `${figure.name}.svg`), sheet(svgs))
    done.push({ figure, file, presentation, svgs, resumed: known !== undefined })
  }
  const report = join(out, 'report.html')
  await writeTextFile(report, reportPage(done))
  return { report, figures: done.map(summarize), stale }
}

function summarize(done: ReportedFigure & { readonly resumed: boolean }): ReplicatedFigure {
  const { figure, presentation, resumed } = done
  const { name, title, isMeasured } = figure
  return { name, title, resumed, isMeasured, findings: presentation.findings }
}

async function draw(
  { name }: Figure,
  plots: ReportedFigure['presentation']['plots'],
): Promise<readonly string[]> {
  const svgs: string[] = []
  for (const plot of plots) svgs.push(await drawPlot(plot, { id: `${name}-${plot.name}` }))
  return svgs
}

function readOptions(options: ReplicateOptions) {
  const { figures = figureNames, seed = 1, quick = false, onProgress = () => {} } = options
  return {
    out: checkString(options.out, { name: 'out' }),
    names: figures.map((name) => checkOneOf(name, { name: 'figures', choices: figureNames })),
    seed: checkInteger(seed, { name: 'seed', min: 0, max: largestSeed }),
    quick: checkBoolean(quick, { name: 'quick' }),
    signal: options.signal,
    onProgress,
  }
}

/** Figures add to it. */
const largestSeed = 2 ** 32

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError({
      code: 'MILLRACE_INVALID_FILE',
      message: `${path}: expected a folder that can be made, got: ${reason}; give another with --out`,
      cause,
    })
  }
}
