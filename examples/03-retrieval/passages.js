// What is searched, and questions about it.
import { readFileSync } from 'node:fs'

/**
 * @typedef {{ title: string, text: string }} Passage
 * @typedef {{ query: string, answers: string[] }} Question `answers` are the titles of the passages that answer it.
 */

/** @returns {Passage[]} */
export const readPassages = () => read('passages')
/** Those that the figures are of. @returns {Question[]} */
export const readQuestions = () => read('queries')
/** Those that the constants of the models were chosen with. @returns {Question[]} */
export const readTuningQuestions = () => read('tuning')

/** What of a passage is searched. @param {Passage} passage */
export function searchedText({ title, text }) {
  return `${title}: ${text}`
}

/** @param {string} name */
function read(name) {
  return JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8'))
}
