import { Command } from 'commander'
import { packageManifest } from '../package-manifest.ts'
import { addDoctorCommand } from './doctor.ts'
import { describeFailure } from './failure.ts'
import { addPlanCommand } from './plan.ts'
import { addProfileCommand } from './profile.ts'
import { addReplicateCommand } from './replicate.ts'
import { addRunCommand } from './run.ts'
import { addSimulateCommand } from './simulate.ts'
import type { Terminal } from './terminal.ts'
import { addTopCommand } from './top.ts'
import { addTraceCommand } from './trace.ts'

const commands = [
  addProfileCommand,
  addTraceCommand,
  addSimulateCommand,
  addPlanCommand,
  addRunCommand,
  addReplicateCommand,
  addDoctorCommand,
  addTopCommand,
] as const

/**
 * Runs `millrace ARGUMENTS`.
 *
 * @returns The exit code: 0 done, 1 failed, 2 bad usage or bad input files, 3 infeasible, 128 and the number of the signal
 * that ended it. Never rejects.
 */
export async function runCommandLine(
  commandArguments: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const program = newProgram(terminal)
  try {
    await program.parseAsync(commandArguments, { from: 'user' })
    return terminal.interruptedCode ?? 0
  } catch (error) {
    const name = nameOf(program, commandArguments)
    if (terminal.interruptedCode !== undefined) {
      terminal.say(`${name}: interrupted`)
      return terminal.interruptedCode
    }
    const trace = process.env['MILLRACE_DEBUG'] === '1'
    const { exitCode, text } = describeFailure(error, { name, trace })
    if (text !== undefined) terminal.say(text)
    return exitCode
  }
}

function newProgram(terminal: Terminal): Command {
  const program = new Command('millrace')
    .description('Profiles, plans and serves pipelines of models within a latency objective.')
    .version(packageManifest().version, '--version', 'print the version')
    .helpOption('--help', 'print this')
    .helpCommand(false)
    .exitOverride()
    // What went wrong is said in one place, with the name of the command before it.
    .configureOutput({ outputError: () => {} })
  for (const add of commands) add(program, terminal)
  return program.addHelpText('after', '\nEvery command takes --json and --help.')
}

function nameOf(program: Command, commandArguments: readonly string[]): string {
  const first = commandArguments.find((argument) => !argument.startsWith('-'))
  const command = program.commands.find((candidate) => candidate.name() === first)
  return command === undefined ? 'millrace' : `millrace ${command.name()}`
}
