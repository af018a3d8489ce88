import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkHardware, defaultHardware, readHardware } from '../../src/profile/read-hardware.ts'
import { errorOf, rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-hardware-'))
const advice =
  'correct the file: each tier has its kind and its price, as in profiles/hardware.json'

describe('hardware', () => {
  it('is read from a file', async () => {
    const path = join(folder, 'a.json')
    writeFileSync(path, '{"version": 1, "tiers": {"cpu-1": {"kind": "cpu", "pricePerHour": 0}}}')
    expect((await readHardware(path)).tiers['cpu-1']?.pricePerHour).toBe(0)
  })

  it('of a tier without a price is refused', () => {
    const value = { version: 1, tiers: { k80: { kind: 'cuda' } } }
    const { code, message } = errorOf(() => checkHardware(value, 'hardware'))
    expect(code).toBe('MILLRACE_INVALID_FILE')
    expect(message).toBe(
      `hardware: tiers.k80.pricePerHour: expected a number at least 0, got nothing; ${advice}`,
    )
  })

  it('of a price that is no number is refused', () => {
    const value = { version: 1, tiers: { k80: { kind: 'cuda', pricePerHour: Number.NaN } } }
    expect(errorOf(() => checkHardware(value, 'hardware')).message).toContain('the number NaN')
  })

  it('without a tier is refused', async () => {
    const path = join(folder, 'none.json')
    writeFileSync(path, '{"version": 1, "tiers": {}}')
    expect((await rejectionOf(() => readHardware(path))).message).toBe(
      `${path}: tiers: expected at least one entry, got none; ${advice}`,
    )
  })

  it('comes with Millrace: a price and the watts of every tier, the threads in the name of a cpu', async () => {
    const { tiers } = await defaultHardware()
    expect(Object.keys(tiers)).toEqual(['cpu-1', 'cpu-2', 'cpu-4', 'cpu-8', 'k80', 'v100'])
    for (const [name, { kind, threads, pricePerHour, idleWatts, busyWatts }] of Object.entries(
      tiers,
    )) {
      expect(pricePerHour).toBeGreaterThan(0)
      expect(busyWatts).toBeGreaterThan(idleWatts ?? Number.NaN)
      if (kind !== 'cpu') continue
      expect(name).toBe(`cpu-${threads}`)
      expect(pricePerHour).toBeCloseTo(0.0665 * (threads ?? Number.NaN), 12)
    }
  })
})
