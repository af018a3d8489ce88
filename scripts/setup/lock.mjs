// A lock between processes that survives a killed holder.
//
//   build/.setup-lock/        the lock: held while it contains an entry
//     1234-567890/            its holder: process id and start time (a process id alone may have been given to another)
//
// To take it, a folder already containing our entry is renamed into place: that succeeds only when the lock is absent or
// empty, and there is no moment at which the lock exists without its holder. A dead holder's entry is removed by its exact
// name, so nobody can remove the lock of a live one by arriving late.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const POLL_MS = 200

/**
 * Waits until the lock is ours and returns what releases it.
 * @param {{ path: string, timeoutMs?: number, onWait?: (pid: number) => void }} options timeoutMs: default 20 minutes
 * @returns {() => void}
 */
export function acquireLock({ path, timeoutMs = 20 * 60_000, onWait = () => {} }) {
  const self = `${process.pid}-${startTicks(process.pid)}`
  const giveUpAtMs = performance.now() + timeoutMs
  let waited = false
  while (!tryAcquire(path, self)) {
    const holder = liveHolder(path)
    if (holder === undefined) continue
    if (!waited) onWait(holder)
    waited = true
    if (performance.now() > giveUpAtMs) {
      throw new Error(
        `process ${holder} has held ${path} too long; remove that folder if the process is not a setup`,
      )
    }
    sleep(POLL_MS)
  }
  return () => release(path, self)
}

/** @param {string} path @param {string} self */
function tryAcquire(path, self) {
  const candidate = `${path}-${self}`
  mkdirSync(dirname(path), { recursive: true })
  rmSync(candidate, { recursive: true, force: true })
  mkdirSync(join(candidate, self), { recursive: true })
  try {
    renameSync(candidate, path)
    return true
  } catch (error) {
    rmSync(candidate, { recursive: true, force: true })
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false
    if (process.platform === 'win32' && errorCode(error) === 'EPERM') return false
    throw error
  }
}

/**
 * The process that holds the lock; undefined when it was free or its holder is dead and has been removed.
 * @param {string} path
 * @returns {number | undefined}
 */
function liveHolder(path) {
  for (const entry of list(path)) {
    const [pid, ticks] = entry.split('-')
    if (isAlive(Number(pid)) && startTicks(Number(pid)) === ticks) return Number(pid)
    removeEmpty(join(path, entry))
  }
  if (process.platform === 'win32') removeEmpty(path)
  return undefined
}

/** @param {string} path @param {string} self */
function release(path, self) {
  removeEmpty(join(path, self))
  removeEmpty(path)
}

/** @param {string} path */
function list(path) {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Fails silently where another process was faster or has put its entry in. @param {string} path */
function removeEmpty(path) {
  try {
    rmdirSync(path)
  } catch {
    // Somebody else's turn.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** When the process started, in clock ticks since boot; '0' where the system does not say. @param {number} pid */
function startTicks(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may itself hold spaces; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** @param {number} durationMs */
function sleep(durationMs) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}
