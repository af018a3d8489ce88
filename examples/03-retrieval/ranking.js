// How good an order of answers is.

/**
 * The place of the first right answer, from 1; Infinity when there is none.
 *
 * @param {readonly string[]} titles Best first.
 * @param {readonly string[]} answers
 */
export function rankOf(titles, answers) {
  const index = titles.findIndex((title) => answers.includes(title))
  return index < 0 ? Number.POSITIVE_INFINITY : index + 1
}

/** Share of the questions with a right answer among the first. @param {readonly number[]} ranks @param {number} first */
export function recallAt(ranks, first) {
  return ranks.filter((rank) => rank <= first).length / ranks.length
}

/** Mean of 1 / rank, 0 where no answer is right. @param {readonly number[]} ranks */
export function meanReciprocalRank(ranks) {
  return ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length
}
