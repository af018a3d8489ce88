// Runs a program to its end, quietly: what it prints goes to a file, and comes back for whoever wants to show it.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * @param {object} options
 * @param {string} options.command
 * @param {string[]} options.args
 * @param {string} options.cwd
 * @param {string} options.logPath replaced on every run
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.verbose] straight to stderr instead, as it comes
 * @returns {{ ok: boolean, status: number, output: string }} output: stdout and stderr in the order written
 */
export function runLogged({ command, args, cwd, logPath, env = process.env, verbose = false }) {
  mkdirSync(dirname(logPath), { recursive: true })
  const log = verbose ? 2 : openSync(logPath, 'w')
  try {
    const shell = process.platform === 'win32' && command.endsWith('.cmd')
    const child = spawnSync(command, args, { cwd, env, shell, stdio: ['ignore', log, log] })
    const status = child.status ?? 1
    const cause = child.error
      ? `${child.error.message}\n`
      : child.signal
        ? `${command} ended by ${child.signal}\n`
        : ''
    return {
      ok: status === 0,
      status,
      output: (verbose ? '' : readFileSync(logPath, 'utf8')) + cause,
    }
  } finally {
    if (!verbose) closeSync(log)
  }
}
