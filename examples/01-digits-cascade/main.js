// Real handwritten digits through a cascade of two models, under open-loop traffic. README.md explains what is printed.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { build } from 'hdr-histogram-js'
import { Engine } from 'millrace'
import { readDigits } from './digits.js'
import { accurateAlone, cascade, fastAlone } from './pipeline.js'
import { poissonArrivals, sendAll } from './traffic.js'

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
})
const traffic = {
  ratePerS: Number(options.rate),
  seconds: Number(options.seconds),
  seed: Number(options.seed),
}
if (!(traffic.ratePerS > 0 && traffic.seconds > 0 && Number.isInteger(traffic.seed))) {
  console.error('usage: main.js [--rate REQUESTS_PER_SECOND] [--seconds SECONDS] [--seed INTEGER]')
  process.exit(2)
}

const digits = readDigits()
console.log(
  `${digits.length} handwritten digits, cascade: fast -> accurate where confidence < 0.8\n`,
)
console.log('accuracy')
for (const [name, pipeline] of Object.entries({
  fast: fastAlone,
  accurate: accurateAlone,
  cascade,
})) {
  console.log(`  ${name.padEnd(10)} ${percent(await accuracyOf(pipeline))}`)
}

console.log(`\n${traffic.ratePerS} requests/s for ${traffic.seconds} s, Poisson arrivals`)
print(await serve())

/**
 * Share of the digits a pipeline reads right.
 *
 * @param {typeof cascade | typeof fastAlone | typeof accurateAlone} pipeline
 */
async function accuracyOf(pipeline) {
  const engine = await Engine.start(pipeline)
  const results = await engine.inferMany(digits.map(({ image }) => ({ image })))
  await engine.close()
  const right = results.filter(({ label }, index) => Number(label.data[0]) === digits[index]?.label)
  return right.length / digits.length
}

async function serve() {
  const engine = await Engine.start(cascade)
  const arrivalsMs = poissonArrivals(traffic)
  const latencyUs = build({ bitBucketSize: 32, highestTrackableValue: 60_000_000 })
  const objectiveMs = cascade.objective?.latencyMs ?? Number.POSITIVE_INFINITY
  const progress = new SingleBar({ format: '{bar} {value}/{total}', noTTYOutput: false })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let inTime = 0

  // The first requests pay for code that is not compiled yet; they are not what we measure.
  // In rounds: all at once would be more than the pipeline admits, where the replicas are slow to begin.
  for (let round = 0; round < 20; round++) {
    await engine.inferMany(digits.map(({ image }) => ({ image })))
  }
  const before = engine.stats()
  if (process.stdout.isTTY) progress.start(arrivalsMs.length, 0)
  delay.enable()
  const startMs = performance.now()
  await sendAll(arrivalsMs, {
    send: async (index) => {
      const { image } = /** @type {import('./digits.js').Digit} */ (digits[index % digits.length])
      await engine.infer({ image })
    },
    settled: (latencyMs) => {
      latencyUs.recordValue(Math.min(latencyMs * 1000, 60_000_000))
      if (latencyMs <= objectiveMs) inTime++
      if (process.stdout.isTTY) progress.increment()
    },
  })
  const seconds = (performance.now() - startMs) / 1000
  delay.disable()
  progress.stop()
  const after = engine.stats()
  await engine.close()
  return {
    latencyUs,
    delay,
    requests: arrivalsMs.length,
    inTime,
    seconds,
    before,
    after,
    objectiveMs,
  }
}

/** @param {Awaited<ReturnType<typeof serve>>} run */
function print({ latencyUs, delay, requests, inTime, seconds, before, after, objectiveMs }) {
  const ms = (/** @type {number} */ percentile) =>
    `${(latencyUs.getValueAtPercentile(percentile) / 1000).toFixed(2)} ms`
  const ran = (/** @type {'fast' | 'accurate'} */ stage) => ({
    rows: after.stages[stage].rows - before.stages[stage].rows,
    batches: after.stages[stage].batches - before.stages[stage].batches,
  })
  const fast = ran('fast')
  const accurate = ran('accurate')
  const meanBatch = (/** @type {{ rows: number, batches: number }} */ { rows, batches }) =>
    (rows / batches).toFixed(2)
  // A timer of 1 ms fires after 1 ms at best; what is beyond is delay.
  const delayMs = Math.max(0, delay.percentile(99) / 1e6 - 1)
  const rows = [
    ['answered', `${requests} of ${requests}, ${Math.round(requests / seconds)} requests/s`],
    ['escalated', percent(accurate.rows / fast.rows)],
    ['latency', `p50 ${ms(50)}, p95 ${ms(95)}, p99 ${ms(99)}`],
    ['attainment', `${percent(inTime / requests)} within ${objectiveMs} ms`],
    ['mean batch', `fast ${meanBatch(fast)}, accurate ${meanBatch(accurate)}`],
    ['event loop', `p99 delay ${delayMs.toFixed(2)} ms`],
  ]
  for (const [name = '', value = ''] of rows) console.log(`  ${name.padEnd(10)} ${value}`)
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(1)} %`
}
