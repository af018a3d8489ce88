// The folder of somebody who follows a guide: the packages that it says to install, and what its blocks make.
import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beginsAsExpected } from './expected-output.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Of one block; less than the test has for a guide, so that nothing is left behind. */
const longestMs = 100_000

export interface Ended {
  readonly printed: string
  readonly exitCode: number | null
}

export class Workspace implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
  readonly #env: NodeJS.ProcessEnv
  #running: { readonly child: ChildProcess; readonly ended: Promise<Ended> } | undefined

  private constructor(port: number) {
    // What npm hands to its scripts would tell npx that the checkout is the project.
    const foreign = /^npm_|^NODE_OPTIONS$|_proxy$/i
    const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
    this.#env = {
      ...Object.fromEntries(own),
      MILLRACE: root,
      PORT: String(port),
      NO_COLOR: '1',
      // Guides show what a machine without a GPU prints.
      MILLRACE_CUDA_DRIVER: 'no-driver.so',
      VK_DRIVER_FILES: 'no-driver.json',
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    }
  }

  /** As another one was left, or empty but for a package.json. */
  static async open(
    before: Workspace | undefined,
    packages: readonly string[],
  ): Promise<Workspace> {
    const workspace = new Workspace(await freePort())
    if (before === undefined) workspace.write('package.json', '{ "type": "module" }\n')
    else cpSync(before.folder, workspace.folder, { recursive: true, verbatimSymlinks: true })
    for (const name of packages) workspace.#link(name)
    return workspace
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  /** Runs a script to its end, stopped by its first command that fails. */
  run(script: string): Promise<Ended> {
    return this.#spawn(['-e', '-o', 'pipefail', '-c', `exec 2>&1\n${script}`]).ended
  }

  /** Starts a program that keeps running, and waits until it has printed this. */
  async start(command: string, output: string): Promise<void> {
    if (this.#running !== undefined) throw new Error('expected one program that keeps running')
    const { child, ended } = this.#spawn(['-c', `exec 2>&1\nexec ${command.trim()}`])
    this.#running = { child, ended }
    let printed = ''
    const ready = new Promise<void>((resolve) => {
      child.stdout?.on('data', (text: string) => {
        printed += text
        if (beginsAsExpected(printed, output)) resolve()
      })
    })
    const early = ended.then((end) => {
      throw new Error(`ended with exit code ${end.exitCode} before it said so:\n${end.printed}`)
    })
    await Promise.race([ready, early])
  }

  /** Tells what keeps running to end; undefined where nothing does. */
  async end(): Promise<Ended | undefined> {
    const running = this.#running
    this.#running = undefined
    running?.child.kill('SIGTERM')
    return await running?.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running?.child.kill('SIGKILL')
    await this.#running?.ended
    rmSync(this.folder, { recursive: true })
  }

  #spawn(commandArguments: readonly string[]) {
    const child = spawn('bash', commandArguments, {
      cwd: this.folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: longestMs,
      killSignal: 'SIGKILL',
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode) => resolve({ printed, exitCode }))
    })
    return { child, ended }
  }

  /** As npm does with a folder: the package itself, and its commands. */
  #link(name: string): void {
    const target = name === 'millrace' ? root : join(root, 'node_modules', name)
    const modules = join(this.folder, 'node_modules')
    const place = join(modules, name)
    mkdirSync(join(modules, '.bin'), { recursive: true })
    mkdirSync(dirname(place), { recursive: true })
    symlinkIfNew(target, place)
    for (const [command, file] of commandsOf(target)) {
      symlinkIfNew(
        relative(join(modules, '.bin'), join(place, file)),
        join(modules, '.bin', command),
      )
    }
  }
}

function commandsOf(target: string): readonly (readonly [string, string])[] {
  const manifest: unknown = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
  const { name, bin = {} } = manifest as {
    readonly name: string
    readonly bin?: string | Readonly<Record<string, string>>
  }
  return Object.entries(typeof bin === 'string' ? { [basename(name)]: bin } : bin)
}

function symlinkIfNew(target: string, place: string): void {
  rmSync(place, { force: true })
  symlinkSync(target, place)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
