// Text to token ids: a token is a word without its ending, its id a hash of that.

/** Ids are below this; 0 is padding. The models were made for it. */
export const vocabularySize = 16_384
export const paddingId = 0
/** Numbers in the embedding of a text. */
export const embeddingSize = 96

const endings = /(?:ations?|ators?|ating|ings?|edly|ed|ers?|ors?|ions?|ies|es|s|ly|e|y)$/
/** What is left of a word has at least so many letters. */
const shortestStem = 3

/** @param {string} text @returns {BigInt64Array} at least one id, so that no text is without a shape */
export function tokenIds(text) {
  const ids = words(text).map((word) => BigInt(idOf(stem(word))))
  return BigInt64Array.from(ids.length > 0 ? ids : [BigInt(idOf(''))])
}

/** Also within names: "readFile" is two words. @param {string} text @returns {string[]} */
export function words(text) {
  const apart = text.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return apart.match(/[a-z0-9]+/g) ?? []
}

/** @param {string} word */
export function stem(word) {
  const short = word.replace(endings, '')
  return short.length >= shortestStem ? short : word
}

/** FNV-1a, folded into the vocabulary. @param {string} word @returns {number} from 1 */
function idOf(word) {
  let hash = 0x811c9dc5
  for (let index = 0; index < word.length; index++) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193)
  }
  return 1 + ((hash >>> 0) % (vocabularySize - 1))
}
