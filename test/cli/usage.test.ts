import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { binary, millrace, root } from './millrace.ts'

const commands = ['profile', 'trace', 'simulate', 'plan', 'run', 'replicate', 'top', 'doctor']

describe('the command line', () => {
  it('lists its commands', async () => {
    const { exitCode, stdout, stderr } = await millrace(['--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const command of commands) expect(stdout).toContain(`\n  ${command} `)
  })

  it.each(commands)('shows an example and the units of %s', async (command) => {
    const { exitCode, stdout, stderr } = await millrace([command, '--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('--json')
    expect(stdout).toMatch(new RegExp(`Examples?:\\n  \\$ millrace ${command}\\b`))
    expect(stdout).toMatch(/milliseconds/)
  })

  it('says its version', async () => {
    const { exitCode, stdout } = await millrace(['--version'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    ['no command', [], /^Usage: millrace/],
    [
      'a misspelt command',
      ['trase'],
      /^millrace: unknown command 'trase' \(Did you mean trace\?\)\n$/,
    ],
    [
      'a misspelt option',
      ['trace', '--rat', '3'],
      /^millrace trace: unknown option '--rat' \(Did you mean --rate\?\)\n$/,
    ],
    [
      'an option without its value',
      ['trace', '--rate'],
      /^millrace trace: option '--rate <N>' argument missing\n$/,
    ],
    ['an argument too many', ['trace', 'extra'], /^millrace trace: too many arguments/],
    [
      'a missing option',
      ['simulate'],
      /^millrace simulate: required option '--profile <FILE>' not specified\n$/,
    ],
    [
      'a missing argument',
      ['run', '--trace', 'trace.json'],
      /^millrace run: missing required argument 'PIPELINE'\n$/,
    ],
    [
      'options that exclude each other',
      ['trace', '--in', 'trace.json', '--rate', '3'],
      /^millrace trace: option '--in <FILE>' cannot be used with option '--rate <N>'\n$/,
    ],
    [
      'a number that is none',
      ['trace', '--rate', 'x'],
      /^millrace trace: --rate: expected .* got the string "x"/,
    ],
    [
      'an empty number',
      ['trace', '--rate', ''],
      /^millrace trace: --rate: expected .* got the string ""/,
    ],
    ['NaN', ['trace', '--rate', 'NaN'], /^millrace trace: --rate: expected a finite number/],
    [
      'a list with a hole',
      ['profile', 'p.js', '--tiers', 'cpu-1,,'],
      /^millrace profile: --tiers: expected names/,
    ],
    [
      'an unknown strategy',
      ['plan', '--strategy', 'optimum'],
      /^millrace plan: --strategy: .* did you mean "optimal"\?/,
    ],
  ])('refuses %s', async (_what, given, message) => {
    const { exitCode, stdout, stderr } = await millrace(given)
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })

  it('shows where an error came from when it is asked to', async () => {
    const given = ['trace', '--in', 'missing.json']
    expect((await millrace(given)).stderr).not.toMatch(/^ {4}at /m)
    expect((await millrace(given, { env: { MILLRACE_DEBUG: '1' } })).stderr).toMatch(/^ {4}at /m)
  })

  it('survives a reader that goes away', async () => {
    const child = spawn(process.execPath, [binary, '--help'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const [exitCode] = await once(child, 'close')
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: '' })
  })
})
