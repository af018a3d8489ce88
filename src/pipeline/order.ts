/**
 * The names so that each comes after all it depends on, or names that depend on each other in a
 * circle.
 */
export type Ordering = { readonly order: readonly string[] } | { readonly cycle: readonly string[] }

/**
 * Sorts topologically; among names that are ready, the one that comes first in the map goes first.
 * A cycle is given in the direction of the data and closed, as a, b, a. Every name depended on must
 * be in the map.
 */
export function topologicalOrder(dependencies: ReadonlyMap<string, ReadonlySet<string>>): Ordering {
  const order: string[] = []
  const waiting = new Map(dependencies)
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, needs]) => [...needs].every((name) => !waiting.has(name)))
    if (ready === undefined) return { cycle: findCycle(waiting) }
    order.push(ready[0])
    waiting.delete(ready[0])
  }
  return { order }
}

// Every name left waits for another one left, so walking upstream must meet a name again.
function findCycle(waiting: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const path: string[] = []
  let [name = ''] = waiting.keys()
  while (!path.includes(name)) {
    path.push(name)
    name = [...(waiting.get(name) ?? [])].find((need) => waiting.has(need)) ?? name
  }
  return [...path.slice(path.indexOf(name)), name].reverse()
}
