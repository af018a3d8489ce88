import type { Dependency } from './imports.ts'

/** Every cycle found by walking depth first, as `a -> b -> a`; an empty list means that there is none at all. */
export function cycles(dependencies: readonly Dependency[]): readonly string[] {
  const edges = new Map<string, string[]>()
  for (const { from, to, external } of dependencies) {
    if (!external) edges.set(from, [...(edges.get(from) ?? []), to])
  }
  const found: string[] = []
  const done = new Set<string>()
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push([...trail.slice(trail.indexOf(file)), file].join(' -> '))
      return
    }
    if (done.has(file)) return
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file])
    done.add(file)
  }
  for (const file of edges.keys()) walk(file, [])
  return found
}
