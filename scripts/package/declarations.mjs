// The declarations that a user's compiler reads: those that package.json's doors lead to, and no others.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const specifier = /((?:from|import)\s*\(?\s*['"])(\.[^'"]+)(['"])/g

/**
 * @param {{ from: string, to: string, doors: string[] }} options from: dist as tsc wrote it; doors: relative to it
 */
export function copyDeclarations({ from, to, doors }) {
  const waiting = doors.map((door) => resolve(from, door))
  const seen = new Set(waiting)
  for (const file of waiting) {
    const text = readFileSync(file, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\n?/, '\n')
    for (const [, , target = ''] of text.matchAll(specifier)) {
      const next = resolve(dirname(file), target.replace(/\.[jt]s$/, '.d.ts'))
      if (seen.has(next)) continue
      seen.add(next)
      waiting.push(next)
    }
    const copy = join(to, relative(from, file))
    mkdirSync(dirname(copy), { recursive: true })
    // tsc leaves the names of sources, which are not published.
    writeFileSync(
      copy,
      text.replace(specifier, (_all, before, target, after) => {
        return `${before}${target.replace(/\.ts$/, '.js')}${after}`
      }),
    )
  }
}
