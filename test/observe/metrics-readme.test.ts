import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { metricBuckets } from '../../src/observe/metric-buckets.ts'
import { metricDefinitions } from '../../src/observe/metric-definitions.ts'

const readme = readFileSync(new URL('../../src/observe/README.md', import.meta.url), 'utf8')

describe('the README of src/observe', () => {
  it('lists every metric with its type, labels and meaning', () => {
    const section = readme.slice(readme.indexOf('| metric '))
    const rows = section.slice(0, section.indexOf('\n\n')).split('\n').slice(2)
    const cells = rows.map((row) =>
      row
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )
    const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(' ')
    expect(cells).toEqual(
      metricDefinitions.map(({ name, type, labels, help }) => [
        code([name]),
        type,
        code(labels),
        help,
      ]),
    )
  })

  it('names the buckets', () => {
    const { latencyMs, stageMs } = metricBuckets({ latencyMs: 1 })
    const words = readme.replace(/\s+/g, ' ')
    for (const shares of [latencyMs, stageMs]) {
      expect(words).toContain(`${shares.slice(0, -1).join(', ')} and ${shares.at(-1)} times it`)
    }
  })
})
