import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The command line as it is installed. */
export const binary = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

interface SpawnOptions {
  /** Default: the root of the repository. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Sends a signal once this was said on stderr or stdout. */
  readonly interruptAt?: { readonly after: RegExp; readonly signal: NodeJS.Signals }
}

/** Runs `millrace ARGUMENTS` to its end, with nobody watching. */
export function millrace(
  commandArguments: readonly string[],
  { cwd = root, env = {}, interruptAt }: SpawnOptions = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [binary, ...commandArguments], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      if (interruptAt?.after.test(said[name])) child.kill(interruptAt.signal)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, ...said }))
  })
}

/** The one document that `--json` prints. */
export function documentOf({ exitCode, stdout, stderr }: Outcome): unknown {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`)
  return JSON.parse(stdout)
}

/** A folder that is gone after the tests. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-cli-'))

  /** Writes a file, as JSON unless it is a text, and returns its path. */
  write(name: string, content: unknown): string {
    const path = join(this.path, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}
