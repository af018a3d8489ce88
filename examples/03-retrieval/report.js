// What main.js prints.
import { ms, percent } from '../02-page-of-digits/report.js'
import { meanReciprocalRank, recallAt } from './ranking.js'

/**
 * @typedef {'question' | 'embed' | 'search' | 'tokenize' | 'rerank' | 'best'} Stage
 * @typedef {import('millrace').EngineStats<Stage>} Stats
 */

/** @param {{ query: string, answers: string[], found: string[], ranked: string[] }[]} answered */
export function printAnswers(answered) {
  for (const { query, answers, found, ranked } of answered) {
    const marked = (/** @type {string[]} */ titles) =>
      titles.slice(0, 3).map((title) => (answers.includes(title) ? `*${title}` : title))
    console.log(query)
    console.log(`  search  ${marked(found).join(', ')}`)
    console.log(`  rerank  ${marked(ranked).join(', ')}`)
  }
  console.log('(* answers the question)\n')
}

/** @param {{ search: number[], rerank: number[] }} ranks */
export function printQuality(ranks) {
  console.log('              right first   in first 5   mean 1/rank')
  for (const [name, ofIt] of Object.entries(ranks)) {
    const columns = [
      percent(recallAt(ofIt, 1)).padStart(15),
      percent(recallAt(ofIt, 5)).padStart(13),
      meanReciprocalRank(ofIt).toFixed(3).padStart(14),
    ]
    console.log(`  ${name.padEnd(8)}${columns.join('')}`)
  }
  console.log(
    `  ${percent(recallAt(ranks.search, 20))} have a right answer among the 20 candidates`,
  )
}

/** @param {import('../02-page-of-digits/load.js').Outcome} outcome @param {{ deadlineMs: number }} options */
export function printServed({ sent, inTime, failed, latencyUs }, { deadlineMs }) {
  const reasons = Object.entries(failed).map(([code, count]) => `, ${count} ${code}`)
  console.log(`  answered   ${latencyUs.totalCount} of ${sent}${reasons.join('')}`)
  console.log(
    `  latency    p50 ${ms(latencyUs, 50)}, p95 ${ms(latencyUs, 95)}, p99 ${ms(latencyUs, 99)}`,
  )
  console.log(`  attainment ${percent(inTime / sent)} within ${deadlineMs} ms`)
}

/** What each stage did between two looks at its statistics. @param {{ before: Stats, after: Stats }} run */
export function printStages({ before, after }) {
  console.log('\n  stage         rows   mean batch   ms a batch   padding')
  for (const [name, stage] of stagesOf(after)) {
    const earlier = before.stages[name]
    const batches = stage.batches - earlier.batches
    const rows = stage.rows - earlier.rows
    const busyMs = stage.busyMs - earlier.busyMs
    const elements = stage.paddedElements - earlier.paddedElements
    const padding = stage.paddingElements - earlier.paddingElements
    const columns = [
      name.padEnd(9),
      String(rows).padStart(9),
      (rows / batches).toFixed(1).padStart(13),
      (busyMs / batches).toFixed(2).padStart(13),
      (elements > 0 ? percent(padding / elements) : '').padStart(10),
    ]
    console.log(`  ${columns.join('')}`)
  }
}

/** @param {Stats} stats */
function stagesOf({ stages }) {
  return /** @type {[Stage, Stats['stages'][Stage]][]} */ (Object.entries(stages))
}
