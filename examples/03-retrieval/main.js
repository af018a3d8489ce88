// Which function of Node.js do I need? Found by embedding, put in order by a second model. README.md explains what is printed.
import { parseArgs } from 'node:util'
import { Engine } from 'millrace'
import { closedLoop, openLoop } from '../02-page-of-digits/load.js'
import { readPassages, readQuestions, searchedText } from './passages.js'
import { embedder, retriever } from './pipeline.js'
import { rankOf } from './ranking.js'
import { printAnswers, printQuality, printServed, printStages } from './report.js'
import { Store } from './store.js'
import { tokenIds } from './tokens.js'

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
})
const traffic = {
  ratePerS: Number(options.rate),
  seconds: Number(options.seconds ?? (options.quick ? 2 : 10)),
  seed: Number(options.seed),
}
if (!(traffic.ratePerS > 0 && traffic.seconds > 0 && Number.isInteger(traffic.seed))) {
  console.error(
    'usage: main.js [--rate QUESTIONS_PER_SECOND] [--seconds SECONDS] [--seed INTEGER] [--quick]',
  )
  process.exit(2)
}

const questions = readQuestions()
const store = await fillStore(readPassages())
const pipeline = retriever(store)
// Candidates count as rows while they are in the pipeline.
const engine = await Engine.start(pipeline, { maxPendingRows: 8192 })
await showAnswers()
await showService()
await engine.close()
store.close()

/** One row. @param {string} question */
function ask(question) {
  return { question: { type: /** @type {const} */ ('string'), dims: [1], data: [question] } }
}

/** @param {import('./passages.js').Passage[]} passages */
async function fillStore(passages) {
  const indexer = await Engine.start(embedder)
  const ids = passages.map((passage) => tokenIds(searchedText(passage)))
  const lengths = ids.map(({ length }) => length)
  const results = await indexer.inferMany(
    ids.map((data) => ({
      ids: { type: /** @type {const} */ ('int64'), dims: [1, data.length], data },
    })),
  )
  await indexer.close()
  console.log(
    `${passages.length} passages of ${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, ${questions.length} questions\n`,
  )
  return Store.open(
    passages.map((passage, index) => ({
      ...passage,
      embedding: /** @type {Float32Array} */ (results[index]?.embedding.data),
    })),
  )
}

async function showAnswers() {
  const results = await engine.inferMany(questions.map(({ query }) => ask(query)))
  const answered = questions.map((question, index) => ({
    ...question,
    found: /** @type {string[]} */ (results[index]?.found.data),
    ranked: /** @type {string[]} */ (results[index]?.ranked.data),
  }))
  printAnswers(answered.slice(0, 5))
  printQuality({
    search: answered.map(({ found, answers }) => rankOf(found, answers)),
    rerank: answered.map(({ ranked, answers }) => rankOf(ranked, answers)),
  })
}

async function showService() {
  const deadlineMs = pipeline.objective?.latencyMs ?? Number.POSITIVE_INFINITY
  const send = (/** @type {number} */ index) => {
    const { query } = /** @type {import('./passages.js').Question} */ (
      questions[index % questions.length]
    )
    return engine.infer(ask(query), { deadlineMs })
  }
  const patient = (/** @type {number} */ index) =>
    engine.infer(ask(String(questions[index % questions.length]?.query)))
  // The first requests pay for code that is not compiled yet; they are not what we measure.
  await closedLoop({ clients: 4, seconds: traffic.seconds / 10 }, patient)
  const before = engine.stats()
  const outcome = await openLoop({ ...traffic, deadlineMs }, send)
  console.log(`\n${traffic.ratePerS} questions/s for ${traffic.seconds} s, Poisson arrivals`)
  printServed(outcome, { deadlineMs })
  printStages({ before, after: engine.stats() })
}
