// How much of a page was read right.

/**
 * Least number of characters to insert, delete or replace that turns one text into the other (Levenshtein).
 *
 * @param {string} from
 * @param {string} to
 */
export function editDistance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1]
    for (let column = 1; column <= to.length; column++) {
      const replaced = Number(row[column - 1]) + (character === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, Number(row[column]) + 1, Number(next[column - 1]) + 1))
    }
    row = next
  }
  return Number(row[to.length])
}

/**
 * Share of the characters that were written that are right, line breaks included: 1 less the edits for each of them.
 *
 * @param {{ written: string, read: string }[]} pages
 */
export function characterAccuracy(pages) {
  const edits = pages.reduce((sum, { written, read }) => sum + editDistance(read, written), 0)
  const characters = pages.reduce((sum, { written }) => sum + written.length, 0)
  return 1 - edits / characters
}
