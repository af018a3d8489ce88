// Data files: read, checked and written. What is wrong with one is said with the file, the place in it, what was
// expected, what came and what to do; a missing file, a directory, a file that is cut off and one that is no JSON are told
// apart.
import { randomUUID } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { MillraceError } from './errors.ts'
import { checkJson, type SchemaName } from './json/check-json.ts'
import { formatJson } from './json/format-json.ts'
import { jsonFault } from './json/json-fault.ts'
import type { JsonSubject } from './json/json-problem.ts'

/** Which file is meant, for messages. */
export interface FileSubject {
  /** What to do where it is not as expected, such as `correct the file`. */
  readonly fix: string
}

/**
 * The value a JSON file holds, once it has been held against the schema.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE
 */
export async function readJsonFile(
  path: string,
  { schema, fix }: FileSubject & { readonly schema: SchemaName },
): Promise<unknown> {
  const subject = { where: path, schema, fix }
  return checkJson(parseJson(await readTextFile(path, { fix }), subject), subject)
}

/**
 * The text of a file, read as UTF-8, without a byte order mark.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE where there is none, it is a directory, or it cannot be read.
 */
export async function readTextFile(path: string, { fix }: FileSubject): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    return text.startsWith('\ufeff') ? text.slice(1) : text
  } catch (cause) {
    throw invalidFile(`${path}: ${unreadable(cause)}; ${remedy(cause, fix)}`, cause)
  }
}

/**
 * The value of a JSON text; nothing is said of what it holds.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE with line and column where it is not JSON.
 */
export function parseJson(text: string, { where, fix }: JsonSubject): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw invalidFile(`${where}: ${whyNotJson(text, cause)}; ${fix}`, cause)
  }
}

/**
 * Writes a value as JSON that is readable by people too. See {@link writeTextFile}.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE
 */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeTextFile(path, formatJson(value))
}

/**
 * Writes a file whole or not at all: whoever reads it meanwhile sees what was there before. Links
 * are followed; devices and pipes, such as /dev/stdout, are written in place. Makes no directories.
 *
 * @param text What is longer than a string may be comes in pieces.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where the directory is missing or the file cannot be written.
 */
export async function writeTextFile(path: string, text: string | Iterable<string>): Promise<void> {
  try {
    const target = await targetOf(path)
    if (target.inPlace) await writeFile(target.path, text)
    else await replaceFile(target.path, text)
  } catch (cause) {
    throw invalidFile(`${path}: ${await unwritable(path, cause)}`, cause)
  }
}

async function replaceFile(path: string, text: string | Iterable<string>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

// By what the path leads to, and not by its real path alone: that of /dev/stdout, where it is a pipe, is none, and the link
// itself would be replaced, for all processes of the machine. Devices and pipes can only be written in place, and below /dev
// also a file belongs to whoever opened it; of a directory the system then says so itself. Links are followed.
async function targetOf(path: string): Promise<{ path: string; inPlace: boolean }> {
  try {
    const inPlace = !(await stat(path)).isFile() || resolve(path).startsWith('/dev/')
    return { path: inPlace ? path : await realpath(path), inPlace }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { path, inPlace: false }
    throw error
  }
}

function whyNotJson(text: string, cause: unknown): string {
  if (text.trim() === '') return 'expected JSON, but it is empty'
  const fault = jsonFault(text)
  if (fault === undefined) return `expected JSON: ${messageOf(cause)}`
  const place = `line ${fault.line}, column ${fault.column}`
  return fault.truncated
    ? `it ends too early, at ${place}, where ${fault.expected} was to come: it is cut off`
    : `it is not JSON: expected ${fault.expected} at ${place}`
}

function unreadable(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file'
    case 'EISDIR':
      return 'expected a file, but it is a directory'
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read'
    default:
      return `it cannot be read (${messageOf(cause)})`
  }
}

function remedy(cause: unknown, fix: string): string {
  switch (codeOf(cause)) {
    case 'EISDIR':
      return 'name a file in it'
    case 'EACCES':
    case 'EPERM':
      return 'see its permissions'
    case 'ENOENT':
    case 'ENOTDIR':
      return `correct the path, or ${fix.replace(/^correct .*?, or /, '')}`
    default:
      return fix
  }
}

async function unwritable(path: string, cause: unknown): Promise<string> {
  switch (codeOf(cause)) {
    case 'ENOENT':
      return `there is no directory ${dirname(path)}; make it first`
    case 'ENOTDIR':
      return `${dirname(path)} is not a directory; give another path`
    case 'EISDIR':
      return 'expected the path of a file, but it is a directory; name a file in it'
    default:
      return `it cannot be written (${messageOf(cause)}); give another path`
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function invalidFile(message: string, cause: unknown): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_FILE', message, cause })
}
