// What runs in the thread of an alarm: sleeps until each time comes, and tells. Nobody imports it: it would run there.
import { parentPort, workerData } from 'node:worker_threads'
import { type AlarmSchedule, alarmCells } from './alarm-schedule.ts'

/** Sleeps end about so much after their time: they aim this early, and the thread looks at the clock for the rest. */
const oversleptMs = 0.06

if (parentPort !== null) ring(workerData as AlarmSchedule)

function ring({ timesMs, cells, startNs }: AlarmSchedule): void {
  parentPort?.postMessage('ready')
  Atomics.wait(cells, alarmCells.started, 0)
  const sinceMs = Number(process.hrtime.bigint() - Atomics.load(startNs, 0)) / 1e6
  const startMs = performance.now() - sinceMs
  let at = 0
  while (at < timesMs.length) {
    sleepUntil(startMs + (timesMs[at] as number), cells)
    // First: whoever sees the ring, or has one on its way, sees this.
    Atomics.store(cells, alarmCells.come, at + 1)
    if (Atomics.exchange(cells, alarmCells.rung, 1) === 0) parentPort?.postMessage('ring')
    at = Math.max(at + 1, Atomics.load(cells, alarmCells.passed))
  }
}

function sleepUntil(atMs: number, cells: Int32Array): void {
  for (;;) {
    const leftMs = atMs - performance.now()
    if (leftMs <= 0) return
    // The cell keeps its value, so that only the time ends the wait.
    if (leftMs > oversleptMs) Atomics.wait(cells, alarmCells.started, 1, leftMs - oversleptMs)
  }
}
