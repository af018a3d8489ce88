// Stage `search`, on the event loop: the database does the work, and we wait for it.
import { searchedText } from './passages.js'

const mostCandidates = 20
/** With less left than this, fewer candidates: a worse answer in time is better than a good one too late. */
const hurryMs = 25
const fewCandidates = 5

/** @param {import('./store.js').Store} store */
export function searchIn(store) {
  /**
   * The first dimension of both outputs counts the candidates.
   *
   * @param {{ embedding: import('millrace').Tensor }} inputs One embedding.
   * @param {import('millrace').FunctionContext} context
   * @returns {Promise<Record<'title' | 'text', import('millrace').Tensor<'string'>>>}
   */
  return async ({ embedding }, { deadlineMs, signal }) => {
    const near = /** @type {Float32Array} */ (embedding.data)
    const count = deadlineMs < hurryMs ? fewCandidates : mostCandidates
    // The signal aborts when nobody waits for the answer any more: then the database stops, too.
    const found = await store.search({ near, count, signal })
    const dims = [found.length]
    return {
      title: { type: 'string', dims, data: found.map(({ title }) => title) },
      text: { type: 'string', dims, data: found.map((passage) => searchedText(passage)) },
    }
  }
}
