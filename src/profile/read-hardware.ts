import { checkJson } from '../json/check-json.ts'
import { readJsonFile } from '../json-file.ts'
import { packageFile } from '../package-file.ts'
import type { Hardware } from './hardware.ts'

const fix = 'correct the file: each tier has its kind and its price, as in profiles/hardware.json'

/**
 * The tiers and prices that a file holds: see profiles/README.md.
 *
 * @param path The file, as `node:fs` takes it.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it cannot be read, or a tier has no price.
 */
export async function readHardware(path: string): Promise<Hardware> {
  return (await readJsonFile(path, { schema: 'hardware', fix })) as Hardware
}

/**
 * The tiers and prices that come with Millrace, `profiles/hardware.json`.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE where that file was damaged.
 */
export function defaultHardware(): Promise<Hardware> {
  return readHardware(packageFile('profiles/hardware.json'))
}

/**
 * A value that may be hardware, held against profiles/hardware.schema.json.
 *
 * @param value Anything, such as what a JSON text holds.
 * @param where What it is called in messages: the file, or `hardware`.
 * @throws {MillraceError} MILLRACE_INVALID_FILE that names the place.
 */
export function checkHardware(value: unknown, where: string): Hardware {
  return checkJson(value, { schema: 'hardware', where, fix }) as Hardware
}
