// Pages of handwritten digits, read under load and under too much of it. README.md explains what is printed.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Engine } from 'millrace'
import { readDigits } from '../01-digits-cascade/digits.js'
import { cascade } from '../01-digits-cascade/pipeline.js'
import { characterAccuracy } from './accuracy.js'
import { closedLoop, openLoop } from './load.js'
import { blankPage, digitsPerPage, writePages } from './page.js'
import { pageReader } from './pipeline.js'
import { percent, printOverload, printServed, printStages } from './report.js'

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    save: { type: 'string' },
  },
})
const seconds = Number(options.seconds ?? (options.quick ? 1 : 6))
const seed = Number(options.seed)
const givenRatePerS = options.rate === undefined ? undefined : Number(options.rate)
if (!(seconds > 0 && Number.isInteger(seed) && (givenRatePerS ?? 1) > 0)) {
  console.error(
    'usage: main.js [--rate PAGES_PER_SECOND] [--seconds SECONDS] [--seed INTEGER] [--quick] [--save FILE.png]',
  )
  process.exit(2)
}

/** Digits count as rows while they are in the pipeline. */
const maxPendingRows = 200 * digitsPerPage
/** Pages are read one after the other: in a large batch the first would only wait for the last. */
const configuration = { segment: { maxBatch: 4 } }
const deadlineMs = pageReader.objective?.latencyMs ?? Number.POSITIVE_INFINITY
const digits = readDigits()
const pages = await writePages({ digits, repeats: 5, seed })
if (options.save !== undefined && pages[0]) writeFileSync(options.save, pages[0].png)
console.log(`${pages.length} pages, ${digitsPerPage} handwritten digits on each\n`)
await showAccuracy()
const capacityPerS = await showService()
await showOverload(capacityPerS)

/** What is on page `index` of an endless pile. @param {number} index */
function pageOf(index) {
  const { png } = /** @type {import('./page.js').Page} */ (pages[index % pages.length])
  return tensorOf(png)
}

/** One row. @param {Uint8Array} png */
function tensorOf(png) {
  return { page: { type: /** @type {const} */ ('uint8'), dims: [1, png.length], data: png } }
}

async function showAccuracy() {
  const classifier = await Engine.start(cascade)
  const results = await classifier.inferMany(digits.map(({ image }) => ({ image })))
  await classifier.close()
  const right = results.filter(({ label }, index) => Number(label.data[0]) === digits[index]?.label)

  const reader = await Engine.start(pageReader, { maxPendingRows, configuration })
  const texts = await reader.inferMany(pages.map(({ png }) => tensorOf(png)))
  const read = pages.map(({ text }, index) => ({
    written: text,
    read: String(texts[index]?.text.data[0]),
  }))
  const blank = await reader.infer(tensorOf((await blankPage(seed)).png))
  await reader.close()
  console.log('accuracy')
  console.log(`  scans    ${percent(right.length / digits.length)} of the scans by themselves`)
  console.log(`  pages    ${percent(characterAccuracy(read))} of the characters on the pages`)
  console.log(`  written  ${read[0]?.written.replaceAll('\n', ' / ')}`)
  console.log(`  read     ${read[0]?.read.replaceAll('\n', ' / ')}`)
  console.log(`  a blank page reads ${JSON.stringify(blank.text.data[0])}`)
}

/** What the engine can do, and how it serves half of that. @returns {Promise<number>} pages a second at most */
async function showService() {
  const engine = await Engine.start(pageReader, { maxPendingRows, configuration })
  const read = (/** @type {number} */ index) => engine.infer(pageOf(index))
  // The first requests pay for code that is not compiled yet; they are not what we measure.
  await closedLoop({ clients: 16, seconds: seconds / 6 }, read)
  const capacityPerS = await closedLoop({ clients: 16, seconds: seconds / 2 }, read)
  console.log(`\ncapacity: ${capacityPerS.toFixed(0)} pages/s, with 16 pages always in work`)

  const ratePerS = givenRatePerS ?? capacityPerS / 2
  const before = engine.stats()
  const outcome = await openLoop({ ratePerS, seconds, seed, deadlineMs }, read)
  console.log(`\n${ratePerS.toFixed(0)} pages/s for ${seconds} s, Poisson arrivals`)
  printServed(outcome, { deadlineMs })
  printStages({ before, after: engine.stats() })
  await engine.close()
  return capacityPerS
}

/** @param {number} capacityPerS */
async function showOverload(capacityPerS) {
  const ratePerS = 2 * capacityPerS
  console.log(`\n${ratePerS.toFixed(0)} pages/s, twice the capacity, each within ${deadlineMs} ms`)
  for (const overload of /** @type {const} */ (['shed', 'queue'])) {
    const engine = await Engine.start(pageReader, { maxPendingRows, configuration, overload })
    const read = (/** @type {number} */ index) => engine.infer(pageOf(index), { deadlineMs })
    await closedLoop({ clients: 4, seconds: seconds / 6 }, (index) => engine.infer(pageOf(index)))
    const outcome = await openLoop({ ratePerS, seconds, seed, deadlineMs }, read)
    await engine.close()
    printOverload(outcome, { overload, capacityPerS })
  }
}
