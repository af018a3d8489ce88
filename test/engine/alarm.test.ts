import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Alarm } from '../../src/engine/alarm.ts'

/** Rings for all of the times, and gives when it did: milliseconds from the start. */
async function ringsOf(timesMs: readonly number[], busyMs = 0): Promise<readonly number[]> {
  const atMs: number[] = []
  await new Promise<void>((resolve, reject) => {
    let startMs = 0
    const onRing = (come: number): number => {
      const until = performance.now() + busyMs
      while (performance.now() < until);
      const nowMs = performance.now() - startMs
      atMs.push(nowMs)
      const passed = Math.max(come, timesMs.filter((each) => each <= nowMs).length)
      if (passed === timesMs.length) {
        alarm.then((one) => one.close(), reject)
        resolve()
      }
      return passed
    }
    const alarm = Alarm.prepare({ timesMs, onRing, onError: reject })
    alarm.then((one) => {
      startMs = one.start()
    }, reject)
  })
  return atMs
}

describe('an alarm', () => {
  it('rings at each of its times, and not before', async () => {
    const timesMs = [0, 3, 3.25, 20, 60.5]
    const rings = await ringsOf(timesMs)
    // Two clocks are a few microseconds apart, or some more where a thread is stopped between two readings.
    expect(rings.at(-1)).toBeGreaterThanOrEqual(60)
    expect(rings.length).toBeLessThanOrEqual(timesMs.length)
    expect(rings.length).toBeGreaterThanOrEqual(3)
  })

  it('rings once for what came while the loop was busy', async () => {
    const timesMs = Array.from({ length: 100 }, (_, at) => at)
    const rings = await ringsOf(timesMs, 30)
    expect(rings.length).toBeLessThan(10)
  })

  it('says how many times have come by its own clock, which nobody else keeps', async () => {
    const said: number[] = []
    await new Promise<void>((resolve, reject) => {
      const onRing = (come: number): number => {
        said.push(come)
        if (come === 40) {
          alarm.then((one) => one.close(), reject)
          resolve()
        }
        return 0 // as a listener whose clock is behind: it must be told of the last all the same
      }
      const timesMs = Array.from({ length: 40 }, (_, at) => at / 4)
      const alarm = Alarm.prepare({ timesMs, onRing, onError: reject })
      alarm.then((one) => one.start(), reject)
    })
    expect(said.at(-1)).toBe(40)
    expect(said).toEqual(said.toSorted((a, b) => a - b))
  })

  it('leaves the event loop alone, and is silent once closed', async () => {
    let rings = 0
    const count = () => ++rings
    const alarm = await Alarm.prepare({ timesMs: [0, 1000], onRing: count, onError: count })
    alarm.start()
    const before = performance.eventLoopUtilization()
    await setTimeout(300)
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5)
    alarm.close()
    await setTimeout(900)
    expect(rings).toBe(1)
  })
})
