// The digits cascade, behind pages to be read, through a spike of four times the planned load: without a tuner and with one.
// README.md explains what is printed.
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultHardware, Engine, Planner, Profiler, replay, Trace, Tuner } from 'millrace'
import { digitsPerPage } from '../02-page-of-digits/page.js'
import { pageReader, samples } from '../02-page-of-digits/pipeline.js'
import { plotSpike } from './plot.js'
import { printPlan, printSeries, printSummary } from './report.js'
import { seriesOf } from './series.js'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(import.meta.dirname, 'out') },
    quick: { type: 'boolean', default: false },
  },
})
const durationMs = 1000 * Number(options.seconds ?? (options.quick ? 12 : 60))
const seed = Number(options.seed)
if (!(durationMs > 0 && Number.isInteger(seed))) {
  console.error('usage: main.js [--seconds SECONDS] [--seed INTEGER] [--out FOLDER] [--quick]')
  process.exit(2)
}

/**
 * @typedef {object} Run
 * @property {string} name
 * @property {import('millrace').ReplayReport} report
 * @property {import('./series.js').Second[]} series
 * @property {readonly import('millrace').TunerEvents['scale'][]} changes
 * @property {import('millrace').TunerStats} [stats]
 */

/** How full the busiest stage is at the planned rate: four times that is more than one replica can do. */
const plannedLoad = 0.28
const spike = 4
/** Digits count as rows while they are in the pipeline: a backlog of so many pages is let in. */
const maxPendingRows = 2000 * digitsPerPage
const latencyMs = pageReader.objective?.latencyMs ?? 100
/** Replicas beyond the cores would only slow each other down. */
const limits = { maxReplicas: availableParallelism() }

const pages = await samples()
const profile = await measure()
const ratePerS = plannedLoad * leastRatePerS(profile)
const plan = await planFor(ratePerS)
const live = spikeOf(ratePerS)
printPlan(plan, { ratePerS, spike })

/** @type {Run[]} */
const runs = []
for (const tuned of [false, true]) runs.push(await serve({ tuned }))
printSeries(runs)
printSummary(runs, { latencyMs })
mkdirSync(options.out, { recursive: true })
const file = join(options.out, 'spike.svg')
const svg = await plotSpike(runs, { latencyMs })
if (svg === undefined) console.log('\nno plot: install echarts for that')
else writeFileSync(file, svg)
if (svg !== undefined) console.log(`\nplot: ${file}`)

/** How long each stage takes here. */
async function measure() {
  console.error('profiling the pipeline on this machine ...')
  const limits = options.quick ? { maxBatch: 8, maxPointMs: 300 } : {}
  return await new Profiler(pageReader, { samples: pages, ...limits }).run()
}

/**
 * Pages a second at which one replica of the busiest stage has no rest.
 *
 * @param {import('millrace').Profile} profile
 */
function leastRatePerS({ stages }) {
  const rates = Object.values(stages).map(({ scaleFactor, tiers }) => {
    const { points = [] } = tiers?.['cpu-1'] ?? {}
    const rowsPerS = points.map(({ batch, meanMs }) => (1000 * batch) / meanMs)
    return Math.max(...rowsPerS) / scaleFactor
  })
  return Math.min(...rates)
}

/** @param {number} ratePerS */
async function planFor(ratePerS) {
  const planned = Trace.gamma({ ratePerS, cv2: 1, durationMs: 60_000, seed })
  const planner = new Planner({ profile, hardware: await defaultHardware() })
  return await planner.plan(planned, { pipeline: pageReader })
}

/**
 * The planned rate, four times as much within a twentieth of the time, held for a quarter, and back.
 *
 * @param {number} ratePerS
 */
function spikeOf(ratePerS) {
  const points = /** @type {const} */ ([
    [0, 1],
    [0.3, 1],
    [0.35, spike],
    [0.6, spike],
    [0.7, 1],
    [1, 1],
  ])
  return Trace.ofRates({
    points: points.map(([at, level]) => ({ atMs: at * durationMs, ratePerS: level * ratePerS })),
    seed: seed + 1,
  })
}

/**
 * The whole trace on a live engine.
 *
 * @param {{ tuned: boolean }} how
 * @returns {Promise<Run>}
 */
async function serve({ tuned }) {
  const name = tuned ? 'with the tuner' : 'without'
  console.error(`serving ${live.arrivalsMs.length} pages ${name} ...`)
  const { configuration } = plan
  const engine = await Engine.start(pageReader, { configuration, maxPendingRows })
  const tuner = new Tuner(engine, { plan, limits })
  /** @type {import('millrace').TunerEvents['scale'][]} */
  const changes = []
  tuner.on('scale', (event) => changes.push(event))
  const report = await replay(engine, {
    arrivalsMs: live.arrivalsMs,
    requests: pages,
    latencyMs,
    onStart: () => void (tuned && tuner.start()),
  })
  const stats = tuner.stats()
  await tuner.stop()
  const series = seriesOf(report, {
    arrivalsMs: live.arrivalsMs,
    changes,
    configuration,
    latencyMs,
  })
  return { name, report, series, changes, ...(tuned ? { stats } : {}) }
}
