// A hash of what files hold, never of when they were touched: git changes times freely.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {{ root: string, paths: string[], also?: string[] }} options paths: files and folders below root, missing ones
 *   counted as such; also: anything else the result depends on
 * @returns {string}
 */
export function fingerprint({ root, paths, also = [] }) {
  const hash = createHash('sha256')
  for (const file of paths.flatMap((path) => filesBelow({ root, path }))) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  for (const item of also) hash.update(`\0${item}`)
  return hash.digest('hex')
}

/**
 * Every file below a path, sorted, relative to root; the path itself when it is a file; none when it is missing.
 * @param {{ root: string, path: string }} options
 * @returns {string[]}
 */
export function filesBelow({ root, path }) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  const entries = readdirSync(full, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
  return entries.flatMap((entry) => {
    const child = `${path}/${entry.name}`
    if (entry.isDirectory()) return filesBelow({ root, path: child })
    return entry.isFile() ? [child] : []
  })
}
