// Made data/passages.json, from the documentation of Node.js as @types/node has it: node extract-passages.js FOLDER_OF_TYPES_NODE
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const modules = [
  ...['buffer', 'child_process', 'crypto', 'dns', 'events', 'fs', 'http', 'net', 'os', 'path'],
  ...['perf_hooks', 'process', 'querystring', 'readline', 'stream', 'string_decoder', 'timers'],
  ...['url', 'util', 'v8', 'vm', 'worker_threads', 'zlib'],
]
const longestText = 700
/** Shorter texts say too little to be searched for. */
const shortestText = 60

/** A comment, and the function or class that it is about. */
const documented = /\/\*\*((?:(?!\*\/).)*)\*\/\s*(?:export )?(?:async )?(function|class) (\w+)/gs

/** @param {string} comment What it says: without its code, tags and marks. */
function textOf(comment) {
  const lines = comment.replace(/^\s*\* ?/gm, '').replace(/```.*?```/gs, '')
  return lines
    .replace(/^@.*$/ms, '')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\{@link ([^}]+)\}/g, '$1')
    .replace(/`|\*\*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Up to the last sentence that fits. @param {string} text */
function shortened(text) {
  if (text.length <= longestText) return text
  const end = text.lastIndexOf('. ', longestText - 1)
  return text.slice(0, end < 0 ? longestText : end + 1)
}

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: extract-passages.js FOLDER_OF_TYPES_NODE')
/** @type {Map<string, string>} */
const passages = new Map()
for (const name of modules) {
  const source = readFileSync(join(folder, `${name}.d.ts`), 'utf8')
  for (const [, comment = '', , item = ''] of source.matchAll(documented)) {
    const title = `${name}.${item}`
    const text = shortened(textOf(comment))
    if (text.length < shortestText || /Sync$|^__|^native$/.test(item) || passages.has(title))
      continue
    passages.set(title, text)
  }
}
const entries = [...passages].map(([title, text]) => JSON.stringify({ title, text }))
writeFileSync(new URL('data/passages.json', import.meta.url), `[\n${entries.join(',\n')}\n]\n`)
